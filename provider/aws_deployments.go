package provider

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// noGroup says that there is nothing for CodeDeploy to deploy to. AccessDenied
// and everything else must never be taken for it.
func noGroup(err error) bool {
	return isCode(err, "DeploymentGroupDoesNotExistException") || isCode(err, "ApplicationDoesNotExistException")
}

// DeploymentGroup implements Cloud.
func (c *awsCloud) DeploymentGroup(ctx context.Context, application, deploymentGroup string) ([]string, error) {
	found, err := c.deployments.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String(application), DeploymentGroupName: aws.String(deploymentGroup),
	})
	if noGroup(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range found.DeploymentGroupInfo.AutoScalingGroups {
		names = append(names, aws.ToString(g.Name))
	}
	return names, nil
}

// unfinished are the states of a deployment that is not over.
var unfinished = []types.DeploymentStatus{
	types.DeploymentStatusCreated, types.DeploymentStatusQueued, types.DeploymentStatusInProgress,
	types.DeploymentStatusBaking, types.DeploymentStatusReady,
}

// batch is how many deployments BatchGetDeployments takes (AWS CodeDeploy API
// Reference).
const batch = 25

// Running implements Cloud.
func (c *awsCloud) Running(ctx context.Context, application, deploymentGroup string) ([]Deployment, error) {
	ids, err := c.unfinished(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName:     aws.String(application),
		DeploymentGroupName: aws.String(deploymentGroup),
	})
	if noGroup(err) {
		ids, err = c.unfinished(ctx, &codedeploy.ListDeploymentsInput{})
	}
	if err != nil {
		return nil, err
	}
	var running []Deployment
	for some := range slices.Chunk(ids, batch) {
		found, err := c.deployments.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: some})
		if err != nil {
			return nil, err
		}
		for _, info := range found.DeploymentsInfo {
			ours := aws.ToString(info.ApplicationName) == application && aws.ToString(info.DeploymentGroupName) == deploymentGroup
			if d := deploymentOf(info); ours && d.running() && !launched(info) {
				running = append(running, d)
			}
		}
	}
	return running, nil
}

// launched tells whether CodeDeploy made a deployment for one instance that Auto
// Scaling launches or ends. It needs the fleet no more than the instance does, and
// goes on for ever where the revision that is live cannot start.
func launched(info types.DeploymentInfo) bool {
	return info.Creator == types.DeploymentCreatorAutoscaling || info.Creator == types.DeploymentCreatorAutoscalingTermination
}

func (c *awsCloud) unfinished(ctx context.Context, input *codedeploy.ListDeploymentsInput) ([]string, error) {
	input.IncludeOnlyStatuses = unfinished
	var ids []string
	pages := codedeploy.NewListDeploymentsPaginator(c.deployments, input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		ids = append(ids, page.Deployments...)
	}
	return ids, nil
}

func deploymentOf(info types.DeploymentInfo) Deployment {
	d := Deployment{
		ID:     aws.ToString(info.DeploymentId),
		Status: string(info.Status),
		Ended:  aws.ToTime(info.CompleteTime),
	}
	if blueGreen := info.BlueGreenDeploymentConfiguration; blueGreen != nil {
		if end := blueGreen.TerminateBlueInstancesOnDeploymentSuccess; end != nil {
			d.TerminationWait = time.Duration(end.TerminationWaitTimeInMinutes) * time.Minute
		}
	}
	return d
}

// Deployment implements Cloud.
func (c *awsCloud) Deployment(ctx context.Context, id string) (Deployment, bool, error) {
	found, err := c.deployments.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(id)})
	if isCode(err, "DeploymentDoesNotExistException") {
		return Deployment{}, false, nil
	}
	if err != nil {
		return Deployment{}, false, err
	}
	return deploymentOf(*found.DeploymentInfo), true, nil
}

// StopDeployment implements Cloud.
func (c *awsCloud) StopDeployment(ctx context.Context, id string) error {
	_, err := c.deployments.StopDeployment(ctx, &codedeploy.StopDeploymentInput{
		DeploymentId: aws.String(id), AutoRollbackEnabled: aws.Bool(false),
	})
	if isCode(err, "DeploymentAlreadyCompletedException") || isCode(err, "DeploymentDoesNotExistException") {
		return nil
	}
	return err
}
