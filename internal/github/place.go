package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	api "github.com/google/go-github/v80/github"
	"golang.org/x/crypto/nacl/box"
)

// place is where secrets and variables are: an environment of the repository, or
// the repository itself.
type place struct {
	*Client
	environment string // escaped for a path; "" is the repository
	key         *api.PublicKey
}

func (c *Client) place(environment string) *place {
	return &place{Client: c, environment: url.PathEscape(environment)}
}

// identify asks for GitHub's number of the repository, by which an environment's
// secrets go.
func (c *Client) identify(ctx context.Context) error {
	if c.id != 0 {
		return nil
	}
	repository, _, err := c.api.Repositories.Get(ctx, c.owner, c.name)
	if err != nil {
		return explain(err)
	}
	c.id = int(repository.GetID())
	return nil
}

// secrets are the names of all secrets and when each was written last.
func (p *place) secrets(ctx context.Context) (map[string]time.Time, error) {
	if err := p.identify(ctx); err != nil {
		return nil, err
	}
	found := map[string]time.Time{}
	return found, pages(func(page api.ListOptions) (*api.Response, error) {
		var list *api.Secrets
		var response *api.Response
		var err error
		if p.environment == "" {
			list, response, err = p.api.Actions.ListRepoSecrets(ctx, p.owner, p.name, &page)
		} else {
			list, response, err = p.api.Actions.ListEnvSecrets(ctx, p.id, p.environment, &page)
		}
		if err != nil {
			return nil, err
		}
		for _, secret := range list.Secrets {
			found[secret.Name] = secret.UpdatedAt.Time
		}
		return response, nil
	})
}

// variables are all variables and their values.
func (p *place) variables(ctx context.Context) (map[string]string, error) {
	found := map[string]string{}
	return found, pages(func(page api.ListOptions) (*api.Response, error) {
		page.PerPage = 30 // GitHub's limit for variables
		var list *api.ActionsVariables
		var response *api.Response
		var err error
		if p.environment == "" {
			list, response, err = p.api.Actions.ListRepoVariables(ctx, p.owner, p.name, &page)
		} else {
			list, response, err = p.api.Actions.ListEnvVariables(ctx, p.owner, p.name, p.environment, &page)
		}
		if err != nil {
			return nil, err
		}
		for _, variable := range list.Variables {
			found[variable.Name] = variable.Value
		}
		return response, nil
	})
}

// writeSecret seals a value for the place's key, so that only GitHub can open it,
// and creates or updates the secret. It answers when, by GitHub's clock.
func (p *place) writeSecret(ctx context.Context, name, value string) (at time.Time, err error) {
	if err := p.identify(ctx); err != nil {
		return at, err
	}
	if p.key == nil {
		if p.environment == "" {
			p.key, _, err = p.api.Actions.GetRepoPublicKey(ctx, p.owner, p.name)
		} else {
			p.key, _, err = p.api.Actions.GetEnvPublicKey(ctx, p.id, p.environment)
		}
		if err != nil {
			return at, explain(err)
		}
	}
	sealed, err := seal(p.key.GetKey(), value)
	if err != nil {
		return at, err
	}
	var response *api.Response
	secret := &api.EncryptedSecret{Name: name, KeyID: p.key.GetKeyID(), EncryptedValue: sealed}
	if p.environment == "" {
		response, err = p.api.Actions.CreateOrUpdateRepoSecret(ctx, p.owner, p.name, secret)
	} else {
		response, err = p.api.Actions.CreateOrUpdateEnvSecret(ctx, p.id, p.environment, secret)
	}
	if err != nil {
		return at, explain(err)
	}
	return http.ParseTime(response.Header.Get("Date"))
}

// seal makes a sealed box of libsodium's (GitHub Docs, "Encrypting secrets for
// the REST API"). key is in base64.
func seal(key, value string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 32 {
		return "", errors.New("public key of GitHub's: want 32 bytes in base64")
	}
	sealed, err := box.SealAnonymous(nil, []byte(value), (*[32]byte)(raw), rand.Reader)
	return base64.StdEncoding.EncodeToString(sealed), err
}

// writeVariable updates a variable, or creates it where it does not exist.
func (p *place) writeVariable(ctx context.Context, name, value string) error {
	variable := &api.ActionsVariable{Name: name, Value: value}
	var err error
	if p.environment == "" {
		_, err = p.api.Actions.UpdateRepoVariable(ctx, p.owner, p.name, variable)
	} else {
		_, err = p.api.Actions.UpdateEnvVariable(ctx, p.owner, p.name, p.environment, variable)
	}
	if !absent(err) {
		return explain(err)
	}
	ctx = repeatable(ctx) // a second one is refused with 409
	if p.environment == "" {
		_, err = p.api.Actions.CreateRepoVariable(ctx, p.owner, p.name, variable)
	} else {
		_, err = p.api.Actions.CreateEnvVariable(ctx, p.owner, p.name, p.environment, variable)
	}
	var answer *api.ErrorResponse
	if errors.As(err, &answer) && answer.Response.StatusCode == http.StatusConflict { // the first answer was lost
		return nil
	}
	return explain(err)
}

// remove deletes one secret or variable; one that is gone is fine.
func (p *place) remove(ctx context.Context, kind Kind, name string) error {
	if err := p.identify(ctx); err != nil {
		return err
	}
	var err error
	switch {
	case kind == Secret && p.environment == "":
		_, err = p.api.Actions.DeleteRepoSecret(ctx, p.owner, p.name, name)
	case kind == Secret:
		_, err = p.api.Actions.DeleteEnvSecret(ctx, p.id, p.environment, name)
	case p.environment == "":
		_, err = p.api.Actions.DeleteRepoVariable(ctx, p.owner, p.name, name)
	default:
		_, err = p.api.Actions.DeleteEnvVariable(ctx, p.owner, p.name, p.environment, name)
	}
	if absent(err) {
		return nil
	}
	return explain(err)
}

// hasEnvironment tells whether an environment exists.
func (c *Client) hasEnvironment(ctx context.Context, name string) (bool, error) {
	_, _, err := c.api.Repositories.GetEnvironment(ctx, c.owner, c.name, url.PathEscape(name))
	if absent(err) {
		return false, nil
	}
	return err == nil, explain(err)
}

func errNoEnvironment(repository, name, stack string) error {
	return fmt.Errorf("environment %s: not in %s, or the token may not see it; bluegreen github setup --stack %s makes and protects it; a private repository needs a plan with environments, or --repository-level", name, repository, stack)
}
