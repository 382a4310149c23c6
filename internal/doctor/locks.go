package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gopkg.in/yaml.v3"
)

// holder is what Pulumi writes into a lock of a state that it keeps in files.
type holder struct {
	PID       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// checkLock looks for somebody who works on the stack.
func checkLock(ctx context.Context, p *patient) Finding {
	address, _ := p.backend()
	scheme, rest, _ := strings.Cut(address, "://")
	var locks []holder
	var err error
	switch scheme {
	case "file":
		locks, err = p.locksInFiles(rest)
	case "s3":
		locks, err = p.locksInBucket(ctx, address)
	case "http", "https":
		return p.checkUpdate(ctx)
	default:
		return notChecked(fmt.Errorf("locks of %s are not read here; pulumi up says who holds one", scheme))
	}
	switch {
	case err != nil:
		return fault(err, "see whether these credentials may read the state")
	case len(locks) > 0:
		held := locks[0]
		return failed(fmt.Sprintf("locked by %s@%s, process %d, since %s", held.Username, held.Hostname, held.PID, held.Timestamp.UTC().Format(time.DateTime)),
			"wait for that run to end; if it has been killed: pulumi cancel --stack "+p.Stack)
	}
	return ok("nobody holds it")
}

// lockFolder is where a state in files has the locks of a stack (Pulumi,
// pkg/backend/diy, "lockDir").
func (p *patient) lockFolder() (string, error) {
	var project struct{ Name string }
	text, err := os.ReadFile(p.path("Pulumi.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &project)
	}
	return ".pulumi/locks/organization/" + project.Name + "/" + p.environment(), err
}

func (p *patient) locksInFiles(place string) ([]holder, error) {
	folder, err := p.lockFolder()
	if err != nil {
		return nil, err
	}
	if rest, home := strings.CutPrefix(place, "~"); home {
		user, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		place = filepath.Join(user, rest)
	}
	if place, err = url.PathUnescape(place); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(place) {
		place = p.path(place)
	}
	entries, err := os.ReadDir(filepath.Join(place, filepath.FromSlash(folder)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var locks []holder
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".json" {
			continue
		}
		var held holder
		text, readErr := os.ReadFile(filepath.Join(place, filepath.FromSlash(folder), entry.Name())) // #nosec G304 -- in the state's own folder
		if readErr == nil {
			readErr = json.Unmarshal(text, &held)
		}
		if !errors.Is(readErr, fs.ErrNotExist) { // given back meanwhile
			locks, err = append(locks, held), errors.Join(err, readErr)
		}
	}
	return locks, err
}

// locksInBucket reads them from a bucket of the account that is signed in to,
// which need not be the stack's.
func (p *patient) locksInBucket(ctx context.Context, address string) ([]holder, error) {
	folder, err := p.lockFolder()
	if err != nil {
		return nil, err
	}
	place, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	loaded, err := p.load(ctx, place.Query().Get("region"))
	if err != nil {
		return nil, err
	}
	objects := s3.NewFromConfig(loaded, func(o *s3.Options) { o.UsePathStyle = emulated() })
	prefix := strings.TrimPrefix(strings.TrimSuffix(place.Path, "/")+"/"+folder+"/", "/")
	listed, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(place.Host), Prefix: aws.String(prefix)})
	if err != nil {
		return nil, plain(err)
	}
	var locks []holder
	for _, object := range listed.Contents {
		var held holder
		got, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(place.Host), Key: object.Key})
		if err != nil {
			return nil, plain(err)
		}
		err = errors.Join(json.NewDecoder(got.Body).Decode(&held), got.Body.Close())
		if err != nil {
			return nil, fmt.Errorf("s3://%s/%s: %w", place.Host, aws.ToString(object.Key), err)
		}
		locks = append(locks, held)
	}
	return locks, nil
}

// checkUpdate asks Pulumi Cloud whether a run is under way.
func (p *patient) checkUpdate(ctx context.Context) Finding {
	said, err := p.engine(ctx, "stack", "ls", "--json")
	if err != nil {
		return fault(err, "run: pulumi login")
	}
	var stacks []struct {
		Name             string
		UpdateInProgress bool
	}
	if err := json.Unmarshal([]byte(said), &stacks); err != nil {
		return failed(fmt.Sprintf("pulumi stack ls: %v", err), "")
	}
	for _, one := range stacks {
		if one.UpdateInProgress && environment(one.Name) == p.environment() {
			return failed("a run is under way", "wait for it to end; if it has been killed: pulumi cancel --stack "+p.Stack)
		}
	}
	return ok("no run is under way")
}
