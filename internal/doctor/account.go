package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func account() []check {
	return []check{{"account: credentials", []need{online, settings}, checkIdentity}}
}

// checkIdentity compares who is signed in with whom the stack lets work on it.
func checkIdentity(_ context.Context, p *patient) Finding {
	found, _ := p.settings()
	identity, err := p.identity()
	switch {
	case err != nil:
		return fault(err, "sign in again, or see with: aws sts get-caller-identity")
	case aws.ToString(identity.Account) != found.Account:
		return failed(fmt.Sprintf("signed in to account %s as %s, but the stack allows %s only", aws.ToString(identity.Account), aws.ToString(identity.Arn), found.Account),
			"sign in to that account, or correct account in the stack's file")
	}
	return ok("account %s, as %s", found.Account, aws.ToString(identity.Arn))
}

func (p *patient) readIdentity(ctx context.Context) (sts.GetCallerIdentityOutput, error) {
	found, err := p.settings()
	if err != nil {
		return sts.GetCallerIdentityOutput{}, errSettings
	}
	loaded, err := p.load(ctx, found.Region)
	if err != nil {
		return sts.GetCallerIdentityOutput{}, err
	}
	if loaded.Credentials == nil {
		return sts.GetCallerIdentityOutput{}, &unanswered{"no credentials"}
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if _, err := loaded.Credentials.Retrieve(ctx); err != nil {
		return sts.GetCallerIdentityOutput{}, credentialsError(err)
	}
	answer, err := sts.NewFromConfig(loaded).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return sts.GetCallerIdentityOutput{}, plain(err)
	}
	return *answer, nil
}

// credentialsError tells credentials that are not there from those that have
// expired. Who has neither environment nor profile is sent to the metadata of EC2.
func credentialsError(err error) error {
	if strings.Contains(err.Error(), "IMDS") {
		return &unanswered{"no credentials: neither environment nor profile has any"}
	}
	return fmt.Errorf("credentials: %w", err)
}

func (p *patient) allowedAccount(ctx context.Context) (aws.Config, error) {
	identity, err := p.identity()
	if err != nil {
		return aws.Config{}, errors.New("not signed in, see account: credentials")
	}
	found, err := p.settings()
	if err != nil {
		return aws.Config{}, errSettings
	}
	if aws.ToString(identity.Account) != found.Account {
		return aws.Config{}, fmt.Errorf("signed in to another account, %s", aws.ToString(identity.Account))
	}
	return p.load(ctx, found.Region)
}

// unanswered is a reason for which nothing was seen, and none to worry about the
// stack.
type unanswered struct{ reason string }

// Unseen marks an error for which a check could not look: it makes the check "not
// checked" and not failed.
func Unseen(err error) error { return &unanswered{oneLine(err)} }

func (u *unanswered) Error() string { return u.reason }

// plain makes an error of AWS fit into a line, and tells what an emulator or the
// credentials keep from being seen.
func plain(err error) error {
	api, answered := errors.AsType[smithy.APIError](err)
	if !answered {
		operation, called := errors.AsType[*smithy.OperationError](err)
		if called {
			return fmt.Errorf("%s %s: %w", operation.Service(), operation.Operation(), operation.Unwrap())
		}
		return err
	}
	operation := ""
	if called, ok := errors.AsType[*smithy.OperationError](err); ok {
		operation = called.Operation()
	}
	switch code := api.ErrorCode(); code {
	case "EmulatorFault", "NotYetImplemented", "404", "UnknownOperation":
		return &unanswered{"the emulated AWS does not answer " + operation}
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return &unanswered{"these credentials may not call " + operation}
	default:
		return fmt.Errorf("%s: %s: %s", operation, code, api.ErrorMessage())
	}
}
