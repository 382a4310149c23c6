package codedeploy

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// application is an application and what belongs to it.
type application struct {
	info      types.ApplicationInfo
	groups    map[string]*group
	revisions map[string]*types.RevisionInfo // by key of the revision
}

// namePattern is that of applications, deployment groups and configurations
// (CodeDeploy API reference: 1 to 100 characters).
var namePattern = regexp.MustCompile(`^[A-Za-z0-9._+=,@-]{1,100}$`)

// application finds one. The lock is held, as in all that follow.
func (s *Service) application(name *string) (*application, error) {
	if aws.ToString(name) == "" {
		return nil, &types.ApplicationNameRequiredException{Message: say("Application name is required")}
	}
	found, ok := s.applications[*name]
	if !ok {
		return nil, &types.ApplicationDoesNotExistException{Message: say("No application found for name: %s", *name)}
	}
	return found, nil
}

// freeApplicationName returns a name that can be given to an application.
func (s *Service) freeApplicationName(name *string) (string, error) {
	switch wanted := aws.ToString(name); {
	case wanted == "":
		return "", &types.ApplicationNameRequiredException{Message: say("Application name is required")}
	case !namePattern.MatchString(wanted):
		return "", &types.InvalidApplicationNameException{Message: say("Invalid application name: %q", wanted)}
	case s.applications[wanted] != nil:
		return "", &types.ApplicationAlreadyExistsException{Message: say("Application already exists: %s", wanted)}
	default:
		return wanted, nil
	}
}

func (s *Service) createApplication(_ context.Context, in *codedeploy.CreateApplicationInput) (*codedeploy.CreateApplicationOutput, error) {
	name, err := s.freeApplicationName(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	platform := in.ComputePlatform
	if platform == "" {
		platform = types.ComputePlatformServer
	}
	if !slices.Contains(platform.Values(), platform) {
		return nil, &types.InvalidComputePlatformException{Message: say("Invalid compute platform: %s", platform)}
	}
	if err := s.setTags(s.arn("application:"+name), in.Tags); err != nil {
		return nil, err
	}
	id := newID()
	s.applications[name] = &application{
		info: types.ApplicationInfo{
			ApplicationId: &id, ApplicationName: &name, ComputePlatform: platform, CreateTime: now(),
		},
		groups:    map[string]*group{},
		revisions: map[string]*types.RevisionInfo{},
	}
	return &codedeploy.CreateApplicationOutput{ApplicationId: &id}, nil
}

func (s *Service) getApplication(_ context.Context, in *codedeploy.GetApplicationInput) (*codedeploy.GetApplicationOutput, error) {
	found, err := s.application(in.ApplicationName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetApplicationOutput{Application: &found.info}, nil
}

func (s *Service) batchGetApplications(_ context.Context, in *codedeploy.BatchGetApplicationsInput) (*codedeploy.BatchGetApplicationsOutput, error) {
	if err := batch(in.ApplicationNames); err != nil {
		return nil, err
	}
	out := &codedeploy.BatchGetApplicationsOutput{ApplicationsInfo: []types.ApplicationInfo{}}
	for _, name := range in.ApplicationNames {
		found, err := s.application(&name)
		if err != nil {
			return nil, err
		}
		out.ApplicationsInfo = append(out.ApplicationsInfo, found.info)
	}
	return out, nil
}

// batch checks how many applications, deployment groups or instances a batch
// operation asks for (CodeDeploy API reference: 100).
func batch(names []string) error {
	const most = 100
	if len(names) > most {
		return &types.BatchLimitExceededException{Message: say("%d names asked for; at most %d", len(names), most)}
	}
	return nil
}

func (s *Service) listApplications(_ context.Context, in *codedeploy.ListApplicationsInput) (out *codedeploy.ListApplicationsOutput, err error) {
	out = &codedeploy.ListApplicationsOutput{}
	out.Applications, out.NextToken, err = page(slices.Sorted(maps.Keys(s.applications)), in.NextToken)
	return out, err
}

func (s *Service) updateApplication(_ context.Context, in *codedeploy.UpdateApplicationInput) (*codedeploy.UpdateApplicationOutput, error) {
	found, err := s.application(in.ApplicationName)
	if err != nil || in.NewApplicationName == nil || *in.NewApplicationName == *in.ApplicationName {
		return &codedeploy.UpdateApplicationOutput{}, err
	}
	name, err := s.freeApplicationName(in.NewApplicationName)
	if err != nil {
		return nil, err
	}
	delete(s.applications, *in.ApplicationName)
	s.applications[name] = found
	s.moveTags("application:"+*in.ApplicationName, "application:"+name)
	found.info.ApplicationName = &name
	for groupName, member := range found.groups {
		member.info.ApplicationName = &name
		s.moveTags(groupResource(*in.ApplicationName, groupName), groupResource(name, groupName))
	}
	return &codedeploy.UpdateApplicationOutput{}, nil
}

// deleteApplication succeeds for one that does not exist, as AWS does.
func (s *Service) deleteApplication(ctx context.Context, in *codedeploy.DeleteApplicationInput) (*codedeploy.DeleteApplicationOutput, error) {
	if aws.ToString(in.ApplicationName) == "" {
		return nil, &types.ApplicationNameRequiredException{Message: say("Application name is required")}
	}
	if found, ok := s.applications[*in.ApplicationName]; ok {
		for _, member := range found.groups {
			s.dropGroup(ctx, found, member)
		}
		delete(s.applications, *in.ApplicationName)
		delete(s.tags, s.arn("application:"+*in.ApplicationName))
	}
	return &codedeploy.DeleteApplicationOutput{}, nil
}
