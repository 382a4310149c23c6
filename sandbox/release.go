package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"bluegreen/internal/release"
	"bluegreen/sandbox/codedeploy"
	"bluegreen/sandbox/machines"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Release says what to release in the sandbox, and what is to go wrong.
type Release struct {
	// Options of the release command; Release fills in the account and the names.
	release.Options
	// Failures befall the deployments of this release.
	Failures []codedeploy.Failure
}

// releasePoll is between looks at a deployment: the sandbox's CodeDeploy does not
// wait, and nobody throttles.
const releasePoll = 100 * time.Millisecond

// Release releases to the running sandbox, with the code of bluegreen release.
// Do gets the options completed: release.Run, or another of its operations.
//
// Errors: ErrNotRunning, no platform in the sandbox, and those of do.
func (s *Sandbox) Release(ctx context.Context, r Release, do func(context.Context, release.Options) error) error {
	record, err := s.running()
	if err != nil {
		return err
	}
	state, err := s.deployment(ctx, record)
	if err != nil {
		return err
	}
	out := outputs(state)
	text := func(name string) string { value, _ := out[name].(string); return value }
	if text(release.ApplicationVariable) == "" {
		return errors.New("the sandbox has no platform yet; run: bluegreen sandbox up")
	}
	r.Application = text(release.ApplicationVariable)
	if r.Groups, err = release.Groups(out); err != nil {
		return err
	}
	r.Source.Bucket = text(release.BucketOutput)
	if err := s.build(&r.Source); err != nil {
		return err
	}
	if repository := text(release.RepositoryOutput); repository != "" { // commits of GitHub, which are what they are
		r.Source.GitHub, r.Source.AllowDirty = repository, false
	}
	if err := r.reach(text(release.SiteOutput)); err != nil {
		return err
	}
	r.AWS = s.account(record)
	if r.Poll == 0 {
		r.Poll = releasePoll
	}
	if r.OldFleetStays == nil {
		r.OldFleetStays = new(time.Duration) // as the sandbox's CodeDeploy, which does not wait either
	}
	if len(r.Failures) > 0 {
		if err := s.control(ctx, record, map[string]any{"failures": r.Failures}); err != nil {
			return err
		}
	}
	err = do(ctx, r.Options)
	if len(r.Failures) > 0 { // one that befell no deployment must not befall the next release
		err = errors.Join(err, s.control(context.WithoutCancel(ctx), record, map[string]any{"failures": []codedeploy.Failure{}}))
	}
	return err
}

// build has bundles built for the machines; simulated instances install nothing.
func (s *Sandbox) build(source *release.Source) error {
	var asked order
	if err := readJSON(s.path(orderFile), &asked); err != nil {
		return err
	}
	if asked.Hosting == nil {
		source.Unbuilt = true
		return nil
	}
	var err error
	source.Environment, err = machines.BuildEnvironment(asked.Hosting.Tree)
	return err
}

// reach has a site on loopback asked by the name that it has in the stack.
func (r *Release) reach(site string) error {
	if r.OverHTTP == nil {
		return nil
	}
	if r.OverHTTP.Site == "" {
		return errors.New("release over HTTP: no site answers in the sandbox; name the address of one that does with --site-url http://127.0.0.1:PORT")
	}
	if named, err := url.Parse(site); err == nil {
		r.OverHTTP.Host = named.Host
	}
	return nil
}

// account is the emulated AWS for clients of this process.
func (s *Sandbox) account(record server) aws.Config {
	set := s.variables(record)
	return aws.Config{
		Region: record.World.Region, BaseEndpoint: aws.String(record.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(set["AWS_ACCESS_KEY_ID"], set["AWS_SECRET_ACCESS_KEY"], ""),
	}
}

// control changes settings of the sandbox's CodeDeploy.
func (s *Sandbox) control(ctx context.Context, record server, settings map[string]any) error {
	body, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, record.Endpoint+codedeploy.ControlPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		problem, _ := io.ReadAll(io.LimitReader(response.Body, 1<<12))
		return fmt.Errorf("sandbox: %s", bytes.TrimSpace(problem))
	}
	return nil
}
