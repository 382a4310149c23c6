package github

import (
	"context"
	"fmt"
	"slices"
	"strings"

	api "github.com/google/go-github/v80/github"
)

// driftLabel is on issues about drift.
const driftLabel = "infrastructure-drift"

// driftMarker is in the first line of the one issue on a stack's drift.
func driftMarker(stackName string) string {
	return "<!-- bluegreen:drift:" + inert(stackName) + " -->"
}

// Drifted tells whether what is there differs from what the code says.
func (r Report) Drifted() bool { return len(r.changes()) > 0 }

// DriftBody is the text of the issue; left is how many lines of Full are not in
// it.
func (r Report) DriftBody() (text string, left int) {
	steps := r.changes()
	var out strings.Builder
	fmt.Fprintln(&out, driftMarker(r.Stack))
	fmt.Fprintf(&out, "What is in AWS differs from what the code and configuration of stack %s say: %s.\n\n", code(r.Stack), summary(steps))
	fmt.Fprint(&out, "Somebody changed it elsewhere, or something that was merged was not applied. Applying the stack makes it as the code says; what that means is below. To keep what is in AWS, change the code accordingly. This issue is closed by itself once they agree.\n\n")
	danger(&out, steps)
	table(&out, steps)
	return r.fold(out.String(), difference(steps))
}

// Drift keeps the one issue on a stack's drift: opens it, brings it up to date,
// or closes it. It answers what it did in words.
func (c *Client) Drift(ctx context.Context, report Report) (string, error) {
	issue, err := c.driftIssue(ctx, driftMarker(report.Stack))
	if err != nil {
		return "", err
	}
	body, _ := report.DriftBody()
	switch {
	case !report.Drifted() && issue == nil:
		return "no drift, and no issue", nil
	case !report.Drifted():
		_, _, err = c.api.Issues.Edit(ctx, c.owner, c.name, issue.GetNumber(), &api.IssueRequest{State: api.Ptr("closed")})
		if err == nil {
			_, _, err = c.api.Issues.CreateComment(ctx, c.owner, c.name, issue.GetNumber(), &api.IssueComment{Body: api.Ptr("What is in AWS is what the code says again.")})
		}
		return "no drift any more; closed " + issue.GetHTMLURL(), explain(err)
	case issue == nil:
		issue, _, err = c.api.Issues.Create(ctx, c.owner, c.name, &api.IssueRequest{
			Title: api.Ptr("Drift: stack " + inert(report.Stack) + " is not what its code says"), Body: &body, Labels: &[]string{driftLabel},
		})
		return "drift; opened " + issue.GetHTMLURL(), explain(err)
	case issue.GetBody() == body:
		return "drift as before; see " + issue.GetHTMLURL(), nil
	}
	_, _, err = c.api.Issues.Edit(ctx, c.owner, c.name, issue.GetNumber(), &api.IssueRequest{Body: &body})
	return "other drift than before; updated " + issue.GetHTMLURL(), explain(err)
}

// driftIssue finds the open issue that this command wrote.
func (c *Client) driftIssue(ctx context.Context, marker string) (found *api.Issue, err error) {
	mine, err := c.mine(ctx)
	if err != nil {
		return nil, err
	}
	err = pages(func(page api.ListOptions) (*api.Response, error) {
		list, response, err := c.api.Issues.ListByRepo(ctx, c.owner, c.name, &api.IssueListByRepoOptions{State: "open", Labels: []string{driftLabel}, ListOptions: page})
		at := slices.IndexFunc(list, func(one *api.Issue) bool {
			return !one.IsPullRequest() && strings.HasPrefix(one.GetBody(), marker) && mine(one.GetUser())
		})
		if found == nil && at >= 0 {
			found = list[at]
		}
		return response, err
	})
	return found, err
}
