package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// stopDeployment ends a deployment where it is; events that run are ended, too.
func (s *Service) stopDeployment(_ context.Context, in *codedeploy.StopDeploymentInput) (*codedeploy.StopDeploymentOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if d.ended() {
		return nil, completed(d)
	}
	d.cancel(&halt{code: types.ErrorCodeManualStop, message: "The deployment was stopped on request.", rollback: in.AutoRollbackEnabled})
	return &codedeploy.StopDeploymentOutput{Status: types.StopStatusPending, StatusMessage: say("No more instances are deployed to; deployment %s is being stopped.", d.id())}, nil
}

func completed(d *deployment) error {
	return &types.DeploymentAlreadyCompletedException{Message: say("The deployment %s is already completed", d.id())}
}

// continueDeployment ends one of the two waits of a blue/green deployment.
func (s *Service) continueDeployment(_ context.Context, in *codedeploy.ContinueDeploymentInput) (*codedeploy.ContinueDeploymentOutput, error) {
	d, err := s.deployment(in.DeploymentId)
	if err != nil {
		return nil, err
	}
	wait := in.DeploymentWaitType
	if wait == "" {
		wait = types.DeploymentWaitTypeReadyWait
	}
	switch {
	case wait != types.DeploymentWaitTypeReadyWait && wait != types.DeploymentWaitTypeTerminationWait:
		return nil, &types.InvalidDeploymentWaitTypeException{Message: say("Invalid deployment wait type: %s", wait)}
	case d.ended():
		return nil, completed(d)
	case !d.blueGreen():
		return nil, &types.UnsupportedActionForDeploymentTypeException{Message: say("Only a blue/green deployment can be continued")}
	case d.wait != wait:
		return nil, &types.DeploymentIsNotInReadyStateException{Message: say("The deployment %s is not in %s", d.id(), wait)}
	}
	close(d.proceed)
	d.wait = ""
	return &codedeploy.ContinueDeploymentOutput{}, nil
}

// skipWaitTimeForInstanceTermination is the older name of continuing.
func (s *Service) skipWaitTimeForInstanceTermination(ctx context.Context, in *codedeploy.SkipWaitTimeForInstanceTerminationInput) (*codedeploy.SkipWaitTimeForInstanceTerminationOutput, error) {
	_, err := s.continueDeployment(ctx, &codedeploy.ContinueDeploymentInput{
		DeploymentId: in.DeploymentId, DeploymentWaitType: types.DeploymentWaitTypeTerminationWait,
	})
	return &codedeploy.SkipWaitTimeForInstanceTerminationOutput{}, err
}

func (s *Service) deployment(id *string) (*deployment, error) {
	if aws.ToString(id) == "" {
		return nil, &types.DeploymentIdRequiredException{Message: say("Deployment ID is required")}
	}
	if !deploymentIDPattern.MatchString(*id) {
		return nil, &types.InvalidDeploymentIdException{Message: say("Invalid deployment ID: %q", *id)}
	}
	found, ok := s.deployments[*id]
	if !ok {
		return nil, &types.DeploymentDoesNotExistException{Message: say("The deployment %s could not be found", *id)}
	}
	return found, nil
}
