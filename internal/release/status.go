package release

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// shown is how many of the last deployments a status has.
const shown = 10

// Status is how the deployment groups of an application are.
type Status struct {
	Groups []GroupStatus `json:"groups"`
}

// GroupStatus is how a deployment group is.
type GroupStatus struct {
	Application string       `json:"application"`
	Group       string       `json:"group"`
	Live        []string     `json:"live"`              // Auto Scaling groups that have the traffic
	Idle        string       `json:"idle,omitempty"`    // the other one of a pair
	Revision    string       `json:"revision"`          // that they have
	Running     string       `json:"running,omitempty"` // deployment that is under way
	Deployments []LastStatus `json:"deployments"`       // newest first
	Leftovers   []string     `json:"leftovers"`         // Auto Scaling groups of failed deployments, and of ones that kept the old fleet
	Problems    []string     `json:"problems"`
}

// LastStatus is one of the last deployments.
type LastStatus struct {
	ID          string    `json:"id"`
	Status      string    `json:"status"`
	Created     time.Time `json:"created"`
	Seconds     float64   `json:"seconds"`
	Description string    `json:"description,omitempty"`
	Undoes      string    `json:"undoes,omitempty"` // of a rollback: what it rolls back
}

// ReadStatus reads how the deployment groups are. It changes nothing.
func ReadStatus(ctx context.Context, o Options) (Status, error) {
	if err := o.named(); err != nil {
		return Status{}, err
	}
	o.Output = io.Discard // there is nothing to show on the way
	s, err := o.open()
	if err != nil {
		return Status{}, err
	}
	var status Status
	for _, name := range s.Groups {
		one, err := s.groupStatus(ctx, name)
		if err != nil {
			return Status{}, err
		}
		status.Groups = append(status.Groups, one)
	}
	return status, nil
}

func (s *session) groupStatus(ctx context.Context, name string) (GroupStatus, error) {
	status := GroupStatus{Application: s.Application, Group: name, Deployments: []LastStatus{}, Problems: []string{}}
	group, err := s.group(ctx, s.Application, name)
	if err != nil {
		return status, err
	}
	status.Live, status.Revision = names(group.AutoScalingGroups), revisionName(group.TargetRevision)
	if status.Running, err = s.running(ctx, name); err != nil {
		return status, err
	}
	if status.Deployments, err = s.recent(ctx, name); err != nil {
		return status, err
	}
	if pairMode(group) {
		fleets, err := s.pair(ctx, group)
		if err != nil {
			return status, err
		}
		status.Live, status.Idle = []string{fleets.live.name}, fleets.idle.name
		if fleets.idle.size() && status.Running == "" {
			status.Problems = append(status.Problems, fmt.Sprintf("%s is idle and has instances; bluegreen release --resume last finishes what was begun", fleets.idle.name))
		}
	}
	if status.Leftovers, err = s.leftovers(ctx, group, status); err != nil || status.Running != "" {
		return status, err
	}
	problems, err := s.trafficNow(ctx, targetGroups(group.LoadBalancerInfo), status.Live, nil)
	status.Problems = append(status.Problems, problems...)
	return status, err
}

// recent are the last deployments of a deployment group.
func (s *session) recent(ctx context.Context, group string) ([]LastStatus, error) {
	out, err := s.deploying.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{ApplicationName: &s.Application, DeploymentGroupName: &group})
	if err != nil {
		return nil, fmt.Errorf("deployments of %s: %w", group, err)
	}
	all := []LastStatus{}
	for _, id := range out.Deployments[:min(shown, len(out.Deployments))] {
		info, err := s.deployment(ctx, id)
		if err != nil {
			return nil, err
		}
		one := LastStatus{
			ID: id, Status: string(info.Status), Created: aws.ToTime(info.CreateTime), Description: aws.ToString(info.Description),
			Seconds: between(info.CreateTime, info.CompleteTime).Seconds(),
		}
		if one.Description == "" {
			one.Description = upkeep(info)
		}
		if info.Creator == types.DeploymentCreatorCodeDeployRollback && info.RollbackInfo != nil {
			one.Undoes = aws.ToString(info.RollbackInfo.RollbackTriggeringDeploymentId)
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b LastStatus) int { return b.Created.Compare(a.Created) })
	return all, nil
}

// leftovers are copies of a deployment group's fleet that are neither live nor
// part of the deployment that is under way, and that nobody's visits go to. While
// the live one is not there, any of them may be what the site has left.
func (s *session) leftovers(ctx context.Context, group types.DeploymentGroupInfo, status GroupStatus) ([]string, error) {
	left := []string{}
	found, err := s.described(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	if err != nil || status.Running != "" {
		return left, err // the old fleet of a deployment under way is not told from a leftover
	}
	live := slices.DeleteFunc(slices.Clone(found), func(g asgtypes.AutoScalingGroup) bool {
		return !slices.Contains(status.Live, *g.AutoScalingGroupName) || going(g)
	})
	if len(live) == 0 {
		return left, nil
	}
	for _, fleet := range found {
		name := *fleet.AutoScalingGroupName
		if !ours(name, aws.ToString(group.DeploymentGroupName)) || slices.Contains(status.Live, name) || going(fleet) || len(fleet.TargetGroupARNs) > 0 {
			continue
		}
		serving, err := s.served(ctx, attached(live, targetGroups(group.LoadBalancerInfo)), instancesOf(fleet))
		if err != nil {
			return nil, err
		}
		if len(serving) == 0 {
			left = append(left, name)
		}
	}
	return left, nil
}

func going(fleet asgtypes.AutoScalingGroup) bool { return aws.ToString(fleet.Status) != "" }

// ours tells whether an Auto Scaling group is a copy that CodeDeploy made for a
// deployment group, and not for one whose name goes on after that.
func ours(name, group string) bool {
	id, ok := strings.CutPrefix(name, greenName(group, ""))
	return ok && strings.HasPrefix(id, "d-") && !strings.Contains(id, "_")
}

// Report writes the status for people.
func (s Status) Report(out io.Writer) {
	for _, g := range s.Groups {
		g.report(out)
	}
}

func (g GroupStatus) report(out io.Writer) {
	fmt.Fprintf(out, "%s of application %s\n", g.Group, g.Application)
	fmt.Fprintf(out, "  live: %s, revision %s\n", orNone(g.Live), orNone([]string{g.Revision}))
	if g.Idle != "" {
		fmt.Fprintf(out, "  idle: %s\n", g.Idle)
	}
	if g.Running != "" {
		fmt.Fprintf(out, "  under way: %s; follow it with: bluegreen release --resume %s\n", g.Running, g.Running)
	}
	for _, name := range g.Leftovers {
		fmt.Fprintf(out, "  left over: %s; delete it with: aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name %s\n", name, name)
	}
	for _, problem := range g.Problems {
		fmt.Fprintf(out, "  attention: %s\n", problem)
	}
	if len(g.Deployments) == 0 {
		return
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"Deployment", "Status", "Created", "Took", "What"})
	for _, d := range g.Deployments {
		what := d.Description
		if d.Undoes != "" {
			what = "rolls back " + d.Undoes
		}
		t.AppendRow(table.Row{d.ID, d.Status, d.Created.Local().Format(time.DateTime), seconds(d.Seconds), text.Trim(what, 60)})
	}
	fmt.Fprintln(out, t.Render())
}

func orNone(names []string) string {
	if text := strings.Join(names, ", "); text != "" {
		return text
	}
	return "none"
}
