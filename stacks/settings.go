package stacks

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"bluegreen/infra/access"
	"bluegreen/infra/cache"
	"bluegreen/infra/celery"
	"bluegreen/infra/database"
	"bluegreen/infra/edge"
	"bluegreen/infra/fleet"
	"bluegreen/infra/logs"
	"bluegreen/infra/naming"
	"bluegreen/infra/network"
	"bluegreen/infra/release"
	"bluegreen/infra/storage"
)

// namespace begins each configuration key of this project, as
// "bluegreen:project" in a stack's file.
const namespace = "bluegreen:"

// Settings is the whole configuration of a stack, typed. Each field is one
// key of Pulumi.<stack>.yaml.
type Settings struct {
	// Project is the site's name; with the stack's name it begins every
	// resource's name. Required. Another name is another site: destroy this one
	// first, or names that both want would collide.
	Project string `json:"project"`
	// Account is the AWS account that may be changed, 12 digits. Required.
	Account string `json:"account"`
	// Region is the AWS region; the default is us-east-2.
	Region string `json:"region"`
	// Tags are set on everything, beside Project, Environment and ManagedBy.
	Tags map[string]string `json:"tags"`

	Network  network.Spec  `json:"network"`
	Edge     edge.Spec     `json:"edge"`
	Access   access.Spec   `json:"access"`
	Fleet    fleet.Spec    `json:"fleet"`
	Release  release.Spec  `json:"release"`
	Celery   celery.Spec   `json:"celery"`
	Database database.Spec `json:"database"`
	Cache    cache.Spec    `json:"cache"`
	Storage  storage.Spec  `json:"storage"`
	Logs     logs.Spec     `json:"logs"`

	// Environment holds values of the application's environment variables
	// that environment.yaml leaves to the stack. Values are text; the
	// registry says which are secret.
	Environment map[string]string `json:"environment"`

	// Stack is the environment's name. It is not configuration.
	Stack string `json:"-"`
}

func defaults(stack string) Settings {
	return Settings{
		Region:   "us-east-2",
		Network:  network.Default(),
		Edge:     edge.Default(),
		Access:   access.Default(),
		Fleet:    fleet.Default(),
		Release:  release.Default(),
		Celery:   celery.Default(),
		Database: database.Default(),
		Cache:    cache.Default(),
		Storage:  storage.Default(),
		Logs:     logs.Default(),
		Stack:    stack,
	}
}

// Parse types and checks the configuration of a stack. Keys carry their
// namespace, values are as the engine hands them to a program: plain text, or
// JSON for lists and objects. Keys of other namespaces are left alone. Every
// mistake is reported at once.
func Parse(config map[string]string, stack string) (Settings, error) {
	settings := defaults(stack)
	err := decode(config, &settings)
	settings.complete()
	return settings, errors.Join(err, settings.Validate())
}

// complete fills in what one section takes from another.
func (s *Settings) complete() {
	if s.Access.GitHub.Environment == "" {
		s.Access.GitHub.Environment = s.Stack
	}
}

// Site is what the fixed names are made of.
func (s Settings) Site() naming.Site { return naming.Site{Project: s.Project, Environment: s.Stack} }

// logGroup is where instances send their logs, "" for nowhere.
func (s Settings) logGroup() string {
	if !s.Logs.Enabled {
		return ""
	}
	return s.Site().LogGroup()
}

// provided are the stack outputs that environment variables may come from, by
// the names that the registry knows.
func (s Settings) provided() []string {
	names := []string{"allowedHosts", "region", "storageBucket"}
	if s.Database.Enabled {
		names = append(names, "databaseUrl")
	}
	if s.Cache.Enabled {
		names = append(names, "redisUrl")
	}
	return names
}

// Project and stack names become parts of bucket names, IAM paths and DNS
// labels. Twenty characters each keep every name below its AWS limit with
// Pulumi's random characters added. A stack's name has no dashes: policies
// name what begins with "<project>-<stack>-", and that must not be the
// beginning of another stack's names too.
var (
	projectName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	stackName   = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
)

const longestName = 20

var account = regexp.MustCompile(`^[0-9]{12}$`)

// Validate reports every mistake at once, each with its path.
func (s Settings) Validate() error {
	return errors.Join(
		check(projectName.MatchString(s.Project) && len(s.Project) <= longestName,
			"project: want lower-case letters, digits and single dashes, starting with a letter, at most %d characters; got %q; run: pulumi config set project NAME", longestName, s.Project),
		check(stackName.MatchString(s.Stack) && len(s.Stack) <= longestName,
			"stack name: want lower-case letters and digits, starting with a letter, at most %d characters; got %q; run: pulumi stack rename NAME", longestName, s.Stack),
		check(account.MatchString(s.Account), "account: want 12 digits in quotes, got %q; run: pulumi config set account 123456789012 (your own)", s.Account),
		checkRegion(s.Region),
		checkTags(s.Tags),
		under("network", s.Network.Validate()),
		under("edge", s.Edge.Validate()),
		under("access", s.Access.Validate()),
		s.checkBoundary(),
		under("fleet", s.Fleet.Validate()),
		under("release", s.Release.Validate()),
		under("release", s.Release.Fits(max(s.Fleet.MinSize, 1))), // the fleet has reported what is below 1
		checkPair(s),
		under("celery", s.Celery.Validate()),
		checkCelery(s),
		check(s.Release.Revision != release.GitHub || s.Access.GitHub.Repository != "",
			"release.revision: github needs access.github.repository, which is empty; set it, or set release.revision to s3"),
		under("database", s.Database.Validate()),
		under("cache", s.Cache.Validate()),
		under("storage", s.Storage.Validate()),
		under("logs", s.Logs.Validate()),
	)
}

// checkBoundary refuses another account's policy as a boundary: IAM takes only
// its own and those of AWS.
func (s Settings) checkBoundary() error {
	fields := strings.Split(s.Access.PermissionsBoundary, ":") // arn:aws:iam::<account>:policy/<name>
	if len(fields) < 6 || fields[4] == "aws" || fields[4] == s.Account {
		return nil
	}
	return fmt.Errorf("access.permissionsBoundary: a policy of account %s, but the stack's account is %s; name a policy of that account", fields[4], s.Account)
}

// The limits of a tag (AWS General Reference, "Tagging AWS resources").
const (
	longestTagKey   = 128
	longestTagValue = 256
	mostTags        = 50 - reservedTags
	reservedTags    = 5 // Project, Environment, ManagedBy, Name, and one that Auto Scaling adds
)

// IAM is the strictest about the characters of a tag.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func checkTags(tags map[string]string) error {
	problems := []error{check(len(tags) <= mostTags, "tags: want at most %d, got %d; remove some", mostTags, len(tags))}
	for _, key := range sortedKeys(tags) {
		value := tags[key]
		_, reserved := baseTags(naming.Site{})[key]
		problems = append(problems,
			check(key != "" && len(key) <= longestTagKey, "tags.%s: want a key of 1 to %d characters, got %d", key, longestTagKey, len(key)),
			check(len(value) <= longestTagValue, "tags.%s: want a value of at most %d characters, got %d", key, longestTagValue, len(value)),
			check(tagText.MatchString(key) && tagText.MatchString(value), "tags.%s: want letters, digits, spaces and _.:/=+-@, got %q", key, value),
			check(!strings.HasPrefix(strings.ToLower(key), "aws:"), "tags.%s: keys that begin with aws: belong to AWS; choose another", key),
			check(!reserved && key != "Name", "tags.%s: set by the program; choose another key", key),
		)
	}
	return errors.Join(problems...)
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// under puts path in front of each problem of a section.
func under(path string, err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var problems []error
		for _, problem := range joined.Unwrap() {
			problems = append(problems, under(path, problem))
		}
		return errors.Join(problems...)
	}
	return fmt.Errorf("%s.%w", path, err)
}
