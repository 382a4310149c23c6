package codedeploy

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)

// validRevision checks where a revision is said to be, not whether it is there.
func validRevision(revision *types.RevisionLocation) error {
	if revision == nil {
		return &types.RevisionRequiredException{Message: say("Revision is required")}
	}
	invalid := func(format string, arguments ...any) error {
		return &types.InvalidRevisionException{Message: say(format, arguments...)}
	}
	switch revision.RevisionType {
	case types.RevisionLocationTypeS3:
		at := revision.S3Location
		if at == nil || aws.ToString(at.Bucket) == "" || aws.ToString(at.Key) == "" {
			return invalid("A revision in S3 needs bucket and key")
		}
		if !slices.Contains(at.BundleType.Values(), at.BundleType) {
			return invalid("Invalid bundle type: %q", at.BundleType)
		}
	case types.RevisionLocationTypeGitHub:
		at := revision.GitHubLocation
		if at == nil || strings.Count(aws.ToString(at.Repository), "/") != 1 || !commitPattern.MatchString(aws.ToString(at.CommitId)) {
			return invalid("A revision in GitHub needs a repository, as owner/name, and a commit ID of 40 hexadecimal digits")
		}
	case types.RevisionLocationTypeString, types.RevisionLocationTypeAppSpecContent:
		return invalid("Revision type %s is not for compute platform Server", revision.RevisionType)
	default:
		return invalid("Invalid revision type: %q", revision.RevisionType)
	}
	return nil
}

// revisionKey tells revisions apart.
func revisionKey(revision types.RevisionLocation) string {
	text, _ := json.Marshal(revision) // strings always encode
	return string(text)
}

// register adds a revision to an application, or returns the one it has.
func (a *application) register(revision types.RevisionLocation) *types.GenericRevisionInfo {
	key := revisionKey(revision)
	if a.revisions[key] == nil {
		a.revisions[key] = &types.RevisionInfo{
			RevisionLocation:    &revision,
			GenericRevisionInfo: &types.GenericRevisionInfo{RegisterTime: now(), DeploymentGroups: []string{}},
		}
	}
	return a.revisions[key].GenericRevisionInfo
}

// use registers a revision and notes that it is being deployed.
func (a *application) use(revision types.RevisionLocation) {
	info := a.register(revision)
	info.LastUsedTime = now()
	if info.FirstUsedTime == nil {
		info.FirstUsedTime = info.LastUsedTime
	}
}

// revision finds one, with the deployment groups that run it.
func (a *application) revision(location *types.RevisionLocation) (*types.RevisionInfo, error) {
	if err := validRevision(location); err != nil {
		return nil, err
	}
	key := revisionKey(*location)
	found, ok := a.revisions[key]
	if !ok {
		return nil, &types.RevisionDoesNotExistException{Message: say("No revision found for application %s", *a.info.ApplicationName)}
	}
	found.GenericRevisionInfo.DeploymentGroups = []string{}
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		if target := a.groups[name].info.TargetRevision; target != nil && revisionKey(*target) == key {
			found.GenericRevisionInfo.DeploymentGroups = append(found.GenericRevisionInfo.DeploymentGroups, name)
		}
	}
	return found, nil
}

func (s *Service) registerApplicationRevision(_ context.Context, in *codedeploy.RegisterApplicationRevisionInput) (*codedeploy.RegisterApplicationRevisionOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if err := validRevision(in.Revision); err != nil {
		return nil, err
	}
	if len(aws.ToString(in.Description)) > maxDescription {
		return nil, &types.DescriptionTooLongException{Message: say("The description is longer than %d characters", maxDescription)}
	}
	owner.register(*in.Revision).Description = in.Description
	return &codedeploy.RegisterApplicationRevisionOutput{}, nil
}

func (s *Service) getApplicationRevision(_ context.Context, in *codedeploy.GetApplicationRevisionInput) (*codedeploy.GetApplicationRevisionOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	found, err := owner.revision(in.Revision)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetApplicationRevisionOutput{
		ApplicationName: in.ApplicationName, Revision: found.RevisionLocation, RevisionInfo: found.GenericRevisionInfo,
	}, nil
}

func (s *Service) batchGetApplicationRevisions(_ context.Context, in *codedeploy.BatchGetApplicationRevisionsInput) (*codedeploy.BatchGetApplicationRevisionsOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	const most = 25
	if len(in.Revisions) > most {
		return nil, &types.BatchLimitExceededException{Message: say("%d revisions asked for; at most %d", len(in.Revisions), most)}
	}
	out := &codedeploy.BatchGetApplicationRevisionsOutput{ApplicationName: in.ApplicationName, Revisions: []types.RevisionInfo{}}
	for _, location := range in.Revisions {
		found, err := owner.revision(&location)
		if err != nil {
			return nil, err
		}
		out.Revisions = append(out.Revisions, *found)
	}
	return out, nil
}

func (s *Service) listApplicationRevisions(_ context.Context, in *codedeploy.ListApplicationRevisionsInput) (*codedeploy.ListApplicationRevisionsOutput, error) {
	owner, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.S3KeyPrefix) != "" && aws.ToString(in.S3Bucket) == "" {
		return nil, &types.BucketNameFilterRequiredException{Message: say("A key prefix needs a bucket")}
	}
	var found []*types.RevisionInfo
	for _, revision := range owner.revisions {
		if revision, err = owner.revision(revision.RevisionLocation); err != nil {
			return nil, err
		}
		if listed(revision, in) {
			found = append(found, revision)
		}
	}
	slices.SortFunc(found, func(a, b *types.RevisionInfo) int {
		order := cmp.Or(sortTime(a, in.SortBy).Compare(sortTime(b, in.SortBy)),
			cmp.Compare(revisionKey(*a.RevisionLocation), revisionKey(*b.RevisionLocation)))
		if in.SortOrder == types.SortOrderDescending {
			return -order
		}
		return order
	})
	locations := []types.RevisionLocation{}
	for _, revision := range found {
		locations = append(locations, *revision.RevisionLocation)
	}
	out := &codedeploy.ListApplicationRevisionsOutput{}
	out.Revisions, out.NextToken, err = page(locations, in.NextToken)
	return out, err
}

func sortTime(revision *types.RevisionInfo, by types.ApplicationRevisionSortBy) time.Time {
	info := revision.GenericRevisionInfo
	switch by {
	case types.ApplicationRevisionSortByFirstUsedTime:
		return aws.ToTime(info.FirstUsedTime)
	case types.ApplicationRevisionSortByLastUsedTime:
		return aws.ToTime(info.LastUsedTime)
	default:
		return aws.ToTime(info.RegisterTime)
	}
}

func listed(revision *types.RevisionInfo, in *codedeploy.ListApplicationRevisionsInput) bool {
	if bucket := aws.ToString(in.S3Bucket); bucket != "" {
		at := revision.RevisionLocation.S3Location
		if at == nil || *at.Bucket != bucket || !strings.HasPrefix(*at.Key, aws.ToString(in.S3KeyPrefix)) {
			return false
		}
	}
	deployed := len(revision.GenericRevisionInfo.DeploymentGroups) > 0
	switch in.Deployed {
	case types.ListStateFilterActionInclude:
		return deployed
	case types.ListStateFilterActionExclude:
		return !deployed
	default:
		return true
	}
}
