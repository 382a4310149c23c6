package newcomer

import (
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// record keeps texts by where they come from. It is a writer, for one of them.
type record struct {
	mutex sync.Mutex
	texts map[string]string
	jobs  strings.Builder
}

func (r *record) add(from, text string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.texts == nil {
		r.texts = map[string]string{}
	}
	r.texts[from] += text + "\n"
}

// Write takes what jobs print.
func (r *record) Write(text []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.jobs.Write(text)
}

func (r *record) all() map[string]string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	all := maps.Clone(r.texts)
	all["the logs of jobs"] = r.jobs.String()
	return all
}

// secrets are all that exist now, opened, by what they are.
func (n *newcomer) secrets() map[string]string {
	n.Helper()
	found := map[string]string{"Pulumi's passphrase": passphrase, "what was typed in": typed, "GitHub's token": n.environment["GH_TOKEN"]}
	for _, environment := range []string{"", "prod"} {
		for _, name := range n.hub.Secrets(environment) {
			if name != "AWS_ACCESS_KEY_ID" { // as public as a user's name
				found["secret "+name], _ = n.hub.Secret(environment, name)
			}
		}
	}
	pages := ssm.NewGetParametersByPathPaginator(ssm.NewFromConfig(n.account.Config), &ssm.GetParametersByPathInput{
		Path: aws.String("/bakery/prod/"), WithDecryption: aws.Bool(true),
	})
	for pages.HasMorePages() {
		list, err := pages.NextPage(n.Context())
		require.NoError(n, err)
		for _, parameter := range list.Parameters {
			if parameter.Type == ssmtypes.ParameterTypeSecureString {
				value := aws.ToString(parameter.Value)
				found["parameter "+aws.ToString(parameter.Name)] = value
				if address, err := url.Parse(value); err == nil && address.User != nil {
					found["password in "+aws.ToString(parameter.Name)], _ = address.User.Password()
				}
			}
		}
	}
	require.Greater(n, len(found), 8)
	return found
}

// discreet checks that no secret is in anything that somebody could read: what
// commands and jobs printed, pages, issues, comments, variables, the log of
// GitHub, the commits, and the bucket with Pulumi's state.
func (n *newcomer) discreet(secrets map[string]string) {
	n.Helper()
	texts := n.said.all()
	for _, issue := range n.hub.Issues() {
		texts["issue "+issue.Title] = issue.Title + issue.Body
		for _, comment := range issue.Comments {
			texts["comment on "+issue.Title] += comment.Body
		}
	}
	for _, environment := range []string{"", "prod"} {
		for name, value := range n.hub.Variables(environment) {
			texts["variable "+name] += value
		}
	}
	texts["GitHub's log"] = n.hub.Log()
	// Without the first, in which this test is, too, with what it types in.
	commits, err := n.shell(n.Context(), "git log --patch --all --not $(git rev-list --max-parents=0 main)", "", n.environment)
	require.NoError(n, err)
	require.Contains(n, commits, "MAILGUN_API_KEY")
	texts["the commits"] = commits
	maps.Copy(texts, n.stored())
	assert.Empty(n, leaks(secrets, texts))
}

// stored is what the bucket with Pulumi's state has, by key.
func (n *newcomer) stored() map[string]string {
	n.Helper()
	texts := map[string]string{}
	pages := s3.NewListObjectsV2Paginator(n.account.s3(), &s3.ListObjectsV2Input{Bucket: aws.String(stateBucket)})
	for pages.HasMorePages() {
		list, err := pages.NextPage(n.Context())
		require.NoError(n, err)
		for _, object := range list.Contents {
			texts["s3://"+stateBucket+"/"+*object.Key] = n.object(*object.Key)
		}
	}
	require.NotEmpty(n, texts)
	return texts
}

// leaks says which secrets are in which texts.
func leaks(secrets, texts map[string]string) (found []string) {
	for what, secret := range secrets {
		for where, text := range texts {
			if secret == "" || strings.Contains(text, secret) {
				found = append(found, what+" is in "+where)
			}
		}
	}
	return found
}

// What is there is found, and so is a secret that was never read.
func TestLeaksAreFound(t *testing.T) {
	said := &record{}
	said.add("a command", "the word is swordfish")
	_, err := said.Write([]byte("of a job"))
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"password is in a command", "empty is in a command", "empty is in the logs of jobs"},
		leaks(map[string]string{"password": "swordfish", "other": "sardine", "empty": ""}, said.all()))
}
