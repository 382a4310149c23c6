package codedeploy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// maxTags is how many tags a resource has at most (AWS General Reference, tagging).
const maxTags = 50

// setTags adds tags to a resource that need not exist yet.
func (s *Service) setTags(resource string, tags []types.Tag) error {
	wanted := maps.Clone(s.tags[resource])
	if wanted == nil {
		wanted = map[string]string{}
	}
	for _, tag := range tags {
		key := aws.ToString(tag.Key)
		if key == "" || len(key) > 128 || len(aws.ToString(tag.Value)) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return &types.InvalidTagsToAddException{Message: say("tag %q: want a key of 1 to 128 characters without the prefix aws:, and a value of at most 256", key)}
		}
		wanted[key] = aws.ToString(tag.Value)
	}
	if len(wanted) > maxTags {
		return &types.InvalidTagsToAddException{Message: say("%d tags; at most %d", len(wanted), maxTags)}
	}
	s.tags[resource] = wanted
	return nil
}

func (s *Service) moveTags(from, to string) {
	s.tags[s.arn(to)] = s.tags[s.arn(from)]
	delete(s.tags, s.arn(from))
}

// taggable checks that a resource name is that of an application or deployment
// group that exists.
func (s *Service) taggable(name *string) (string, error) {
	if aws.ToString(name) == "" {
		return "", &types.ResourceArnRequiredException{Message: say("Resource ARN is required")}
	}
	resource, ours := strings.CutPrefix(*name, s.arn(""))
	if !ours {
		return "", &types.InvalidArnException{Message: say("%s is not a resource of CodeDeploy in account %s, region %s", *name, s.account, s.region)}
	}
	kind, id, _ := strings.Cut(resource, ":")
	switch kind {
	case "application":
		_, err := s.application(&id)
		return *name, err
	case "deploymentgroup":
		applicationName, groupName, _ := strings.Cut(id, "/")
		_, _, err := s.group(&applicationName, &groupName)
		return *name, err
	default:
		return "", &types.ArnNotSupportedException{Message: say("%s: only applications and deployment groups have tags", *name)}
	}
}

func (s *Service) tagResource(_ context.Context, in *codedeploy.TagResourceInput) (*codedeploy.TagResourceOutput, error) {
	resource, err := s.taggable(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &codedeploy.TagResourceOutput{}, s.setTags(resource, in.Tags)
}

func (s *Service) untagResource(_ context.Context, in *codedeploy.UntagResourceInput) (*codedeploy.UntagResourceOutput, error) {
	resource, err := s.taggable(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(s.tags[resource], key)
	}
	return &codedeploy.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ context.Context, in *codedeploy.ListTagsForResourceInput) (*codedeploy.ListTagsForResourceOutput, error) {
	resource, err := s.taggable(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(s.tags[resource])) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(s.tags[resource][key])})
	}
	return out, nil
}
