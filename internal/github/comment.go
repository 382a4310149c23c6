package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	api "github.com/google/go-github/v80/github"
)

// Comment makes the comment that begins with marker on a pull request say body,
// or writes it where there is none, and answers its address. It only edits what
// it wrote: somebody else's comment with the same marker stays theirs.
func (c *Client) Comment(ctx context.Context, pullRequest int, marker, body string) (string, error) {
	mine, err := c.mine(ctx)
	if err != nil {
		return "", err
	}
	var found *api.IssueComment
	err = pages(func(page api.ListOptions) (*api.Response, error) {
		list, response, err := c.api.Issues.ListComments(ctx, c.owner, c.name, pullRequest, &api.IssueListCommentsOptions{ListOptions: page})
		at := slices.IndexFunc(list, func(one *api.IssueComment) bool {
			return strings.HasPrefix(one.GetBody(), marker) && mine(one.GetUser())
		})
		if found == nil && at >= 0 {
			found = list[at]
		}
		return response, err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("pull request %d: %w", pullRequest, err)
	case found == nil:
		found, _, err = c.api.Issues.CreateComment(ctx, c.owner, c.name, pullRequest, &api.IssueComment{Body: &body})
	case found.GetBody() != body:
		found, _, err = c.api.Issues.EditComment(ctx, c.owner, c.name, found.GetID(), &api.IssueComment{Body: &body})
	}
	if err != nil {
		return "", fmt.Errorf("pull request %d: %w", pullRequest, explain(err))
	}
	return found.GetHTMLURL(), nil
}

// mine tells what the token's owner wrote. The token of Actions may not ask who
// it is; what it writes is by a bot.
func (c *Client) mine(ctx context.Context) (func(*api.User) bool, error) {
	me, _, err := c.api.Users.Get(ctx, "")
	var answer *api.ErrorResponse
	switch {
	case err == nil:
		return func(user *api.User) bool { return user.GetID() == me.GetID() }, nil
	case errors.As(err, &answer) && answer.Response.StatusCode == http.StatusForbidden:
		return func(user *api.User) bool { return user.GetType() == "Bot" }, nil
	}
	return nil, explain(err)
}

var pullReference = regexp.MustCompile(`^refs/pull/(\d+)/`)

// FindPullRequest is the number of the pull request that a workflow of Actions
// runs for, by GITHUB_EVENT_PATH or GITHUB_REF. Errors: it runs for none.
func FindPullRequest(environment func(string) string) (int, error) {
	var event struct {
		PullRequest struct {
			Number int `json:"number"`
		} `json:"pull_request"`
	}
	if file := environment("GITHUB_EVENT_PATH"); file != "" {
		text, err := os.ReadFile(file) // #nosec G304 G703 -- Actions says where
		if err == nil && json.Unmarshal(text, &event) == nil && event.PullRequest.Number > 0 {
			return event.PullRequest.Number, nil
		}
	}
	if match := pullReference.FindStringSubmatch(environment("GITHUB_REF")); match != nil {
		return strconv.Atoi(match[1])
	}
	return 0, errors.New("pull request: not known; give its number with --pull-request")
}

// RunURL is the page of the run of Actions that this is in, or "".
func RunURL(environment func(string) string) string {
	server, repository, run := environment("GITHUB_SERVER_URL"), environment("GITHUB_REPOSITORY"), environment("GITHUB_RUN_ID")
	if server == "" || run == "" || !repositoryName.MatchString(repository) {
		return ""
	}
	return server + "/" + repository + "/actions/runs/" + run
}
