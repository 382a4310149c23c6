package parameters

import (
	"errors"
	"strings"
	"testing"

	"bluegreen/infra/infratest"
	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	parameterToken = "aws:ssm/parameter:Parameter"
	passwordToken  = "random:index/randomPassword:RandomPassword"
)

var site = naming.Site{Project: "example", Environment: "prod"}

func arguments(t *testing.T) Args {
	return Args{
		Registry: ours(t),
		Site:     site,
		Outputs: map[string]pulumi.StringInput{
			"allowedHosts":  pulumi.String("example.com,www.example.com"),
			"databaseUrl":   pulumi.String("postgresql://user:hunter2@host:5432/name"),
			"storageBucket": pulumi.String("example-prod-storage"),
			"region":        pulumi.String("us-east-2"),
		},
		Values:     map[string]string{"MAILGUN_API_KEY": "hunter2", "MAILGUN_DOMAIN": "mg.example.com"},
		KeyManaged: true,
		KeyARN:     pulumi.String("arn:aws:kms:us-east-2:123456789012:key/1"),
	}
}

func declare(t *testing.T, recorder *infratest.Recorder, args Args, options ...pulumi.RunOption) *Parameters {
	t.Helper()
	var made *Parameters
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) (err error) {
		made, err = New(ctx, site.Prefix(), args)
		if err != nil {
			return err
		}
		ctx.Export("path", made.Path)
		return nil
	}, options...))
	return made
}

func parameter(t *testing.T, recorder *infratest.Recorder, variable string) infratest.Resource {
	t.Helper()
	found, ok := recorder.Named(parameterToken, "example-prod-"+variable)
	require.True(t, ok, variable)
	assert.Equal(t, "/example/prod/"+variable, found.Text("name"))
	return found
}

func TestPlainParameter(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, arguments(t))
	for variable, want := range map[string]string{
		"DJANGO_ALLOWED_HOSTS":           "example.com,www.example.com",
		"DJANGO_AWS_STORAGE_BUCKET_NAME": "example-prod-storage",
		"DJANGO_SECURE_SSL_REDIRECT":     "False",
		"CONN_MAX_AGE":                   "60",
		"MAILGUN_DOMAIN":                 "mg.example.com",
	} {
		got := parameter(t, &recorder, variable)
		assert.Equal(t, "String", got.Text("type"))
		assert.Equal(t, "Standard", got.Text("tier"))
		assert.Equal(t, resource.NewStringProperty(want), got.Inputs["insecureValue"], variable)
		assert.False(t, got.Inputs.HasValue("value") || got.Inputs.HasValue("keyId"), variable)
		assert.NotEmpty(t, got.Text("description"))
	}
}

// No secret reaches a resource, or the state, in clear text.
func TestSecretParameter(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, arguments(t))
	for variable, want := range map[string]string{
		"DATABASE_URL":                  "postgresql://user:hunter2@host:5432/name",
		"MAILGUN_API_KEY":               "hunter2",
		"DJANGO_SECRET_KEY":             "generated-example-prod-DJANGO_SECRET_KEY",
		"DJANGO_ADMIN_URL":              "generated-example-prod-DJANGO_ADMIN_URL/",
		"SINGLE_CD_AUTHORIZATION_TOKEN": "generated-example-prod-SINGLE_CD_AUTHORIZATION_TOKEN",
	} {
		got := parameter(t, &recorder, variable)
		assert.Equal(t, "SecureString", got.Text("type"))
		assert.Equal(t, "arn:aws:kms:us-east-2:123456789012:key/1", got.Text("keyId"))
		assert.True(t, got.Inputs["value"].IsSecret(), "%s is in clear text", variable)
		assert.Equal(t, want, got.Text("value"))
		assert.False(t, got.Inputs.HasValue("insecureValue"))
	}
	for _, found := range recorder.Resources() {
		for key, value := range found.Inputs {
			if !value.ContainsSecrets() {
				assert.NotContains(t, value.String(), "hunter2", "%s.%s", found.Name, key)
			}
		}
	}
}

func TestAccountsKeyUnlessManaged(t *testing.T) {
	var recorder infratest.Recorder
	args := arguments(t)
	args.KeyManaged, args.KeyARN = false, nil
	declare(t, &recorder, args)
	assert.False(t, parameter(t, &recorder, "DATABASE_URL").Inputs.HasValue("keyId"))
}

func TestGeneratedOnce(t *testing.T) {
	var recorder infratest.Recorder
	declare(t, &recorder, arguments(t))
	passwords := recorder.OfType(passwordToken)
	require.Len(t, passwords, 3)
	for _, password := range passwords {
		assert.False(t, password.Value("special").BoolValue())
		assert.GreaterOrEqual(t, password.Value("length").NumberValue(), 48.0)
		assert.False(t, password.Inputs.HasValue("keepers"), "nothing makes a new one")
	}

	recorder = infratest.Recorder{}
	args := arguments(t)
	args.Values = map[string]string{"DJANGO_SECRET_KEY": "hunter2"}
	declare(t, &recorder, args)
	_, made := recorder.Named(passwordToken, "example-prod-DJANGO_SECRET_KEY")
	assert.False(t, made, "the operator has one already")
	assert.Equal(t, "hunter2", parameter(t, &recorder, "DJANGO_SECRET_KEY").Text("value"))
}

func TestAbsentWithoutCache(t *testing.T) {
	var recorder infratest.Recorder
	made := declare(t, &recorder, arguments(t))
	assert.NotContains(t, made.Names, "REDIS_URL")
	assert.NotContains(t, made.Names, "CELERY_BROKER_URL")

	args := arguments(t)
	args.Outputs["redisUrl"] = pulumi.String("rediss://host:6379/0")
	recorder = infratest.Recorder{}
	made = declare(t, &recorder, args)
	assert.Contains(t, made.Names, "REDIS_URL")
	assert.Equal(t, parameter(t, &recorder, "REDIS_URL").Text("value"), parameter(t, &recorder, "CELERY_BROKER_URL").Text("value"))
}

func TestNamesAreWhatIsStored(t *testing.T) {
	var recorder infratest.Recorder
	made := declare(t, &recorder, arguments(t))
	var stored []string
	for _, found := range recorder.OfType(parameterToken) {
		stored = append(stored, strings.TrimPrefix(found.Text("name"), "/example/prod/"))
		assert.Contains(t, found.Parent, "::"+typeToken+"::example-prod")
	}
	assert.Equal(t, stored, made.Names)
	for _, name := range []string{"DJANGO_INTERNAL_PORT_NUM", "DJANGO_SETTINGS_MODULE", "DJANGO_READ_SSM_PARAMS", "AWS_DEFAULT_REGION"} {
		assert.NotContains(t, made.Names, name)
	}
}

// The pipeline's token is the application's.
func TestValueForTheOtherSide(t *testing.T) {
	var recorder infratest.Recorder
	require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
		made, err := New(ctx, site.Prefix(), arguments(t))
		if err != nil {
			return err
		}
		_, ok := made.Value("REDIS_URL")
		assert.False(t, ok)
		token, ok := made.Value("SINGLE_CD_AUTHORIZATION_TOKEN")
		require.True(t, ok)
		// A resource is how a test sees what an output resolves to.
		return ctx.RegisterComponentResourceV2("test:index:Sink", "sink", pulumi.Map{"token": token}, &struct{ pulumi.ResourceState }{})
	}))
	sink, ok := recorder.Named("test:index:Sink", "sink")
	require.True(t, ok)
	assert.Equal(t, parameter(t, &recorder, "SINGLE_CD_AUTHORIZATION_TOKEN").Text("value"), sink.Text("token"))
	assert.True(t, sink.Inputs["token"].IsSecret() || sink.Inputs["token"].IsOutput() && sink.Inputs["token"].OutputValue().Secret)
}

func TestPreviewOfNothing(t *testing.T) {
	recorder := infratest.Recorder{Withhold: true}
	made := declare(t, &recorder, arguments(t), infratest.Preview)
	assert.Len(t, recorder.OfType(parameterToken), len(made.Names))
	assert.Contains(t, made.Names, "DJANGO_SECRET_KEY")
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		args Args
		want string
	}{
		{"nothing", Args{KeyManaged: true}, "parameters example-prod: site: project and environment are required\nkeyArn: required with keyManaged, got none"},
		{
			"no database", func() Args { a := arguments(t); delete(a.Outputs, "databaseUrl"); return a }(),
			"parameters example-prod: environment: 1 required variable has no value: DATABASE_URL (comes from the managed database (`database.enabled`), which this stack does not have; " +
				"or set it: pulumi config set --secret --path environment.DATABASE_URL)" + withoutIt,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var recorder infratest.Recorder
			var got error
			require.NoError(t, recorder.Run(func(ctx *pulumi.Context) error {
				_, got = New(ctx, "example-prod", test.args)
				return nil
			}))
			require.EqualError(t, got, test.want)
			assert.Empty(t, recorder.Resources())
		})
	}
}

func TestRefusedRegistrationIsReported(t *testing.T) {
	for _, token := range []string{parameterToken, passwordToken} {
		t.Run(token, func(t *testing.T) {
			refused := errors.New("refused by the test")
			recorder := infratest.Recorder{Fail: func(args pulumi.MockResourceArgs) error {
				if args.TypeToken == token {
					return refused
				}
				return nil
			}}
			err := recorder.Run(func(ctx *pulumi.Context) error {
				_, err := New(ctx, site.Prefix(), arguments(t))
				return err
			})
			require.ErrorContains(t, err, refused.Error())
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}
