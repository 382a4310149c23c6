package database

import (
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// credentials open the database. Only the password is a secret: AWS shows the
// two names to everybody who may list databases.
type credentials struct {
	name     *random.RandomString // of the database
	username *random.RandomString
	password *random.RandomPassword
}

// Lengths, in characters. RDS takes 63 for the names and 128 for the password
// (AWS CloudFormation Template Reference, "AWS::RDS::DBInstance", DBName,
// MasterUsername and MasterUserPassword for RDS for PostgreSQL). Changing the
// first replaces the database.
const (
	nameLength     = 32
	passwordLength = 64
)

// newCredentials draws them. Names are lower-case letters: they start with
// one, PostgreSQL folds what is not quoted to lower case, and at this length
// none is a reserved word. The password is letters and digits, so it needs no
// quotes anywhere.
func newCredentials(ctx *pulumi.Context, name string, own pulumi.ResourceOption) (login credentials, err error) {
	letters := &random.RandomStringArgs{
		Length: pulumi.Int(nameLength), Upper: pulumi.Bool(false), Numeric: pulumi.Bool(false), Special: pulumi.Bool(false),
	}
	if login.name, err = random.NewRandomString(ctx, name+"-database-name", letters, own); err != nil {
		return login, err
	}
	if login.username, err = random.NewRandomString(ctx, name+"-database-username", letters, own); err != nil {
		return login, err
	}
	login.password, err = random.NewRandomPassword(ctx, name+"-database-password", &random.RandomPasswordArgs{
		Length: pulumi.Int(passwordLength), Special: pulumi.Bool(false),
	}, own)
	return login, err
}
