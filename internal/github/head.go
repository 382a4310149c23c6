package github

import (
	"context"

	api "github.com/google/go-github/v80/github"
)

// PullRequestOf is the number of the open pull request whose newest commit is
// this one, or 0: it is closed, or has a newer commit by now. GitHub does not say
// for which pull request of a fork a workflow ran, and what that run says itself
// may not be believed.
func (c *Client) PullRequestOf(ctx context.Context, commit string) (number int, err error) {
	return number, pages(func(page api.ListOptions) (*api.Response, error) {
		list, response, err := c.api.PullRequests.List(ctx, c.owner, c.name, &api.PullRequestListOptions{
			State: "open", Sort: "updated", Direction: "desc", ListOptions: page,
		})
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if number == 0 && one.GetHead().GetSHA() == commit {
				number = one.GetNumber()
				response.NextPage = 0 // seen enough
			}
		}
		return response, nil
	})
}
