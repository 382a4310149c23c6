package database

import (
	"net"
	"net/url"
	"strconv"

	"bluegreen/infra/naming"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// An identifier has at most 63 characters (Amazon RDS API Reference,
// "CreateDBInstance"), and Pulumi adds a dash and seven random ones.
const longestIdentifier = 63 - 8

// newInstance declares the server and what it stands on.
func (d *Database) newInstance(ctx *pulumi.Context, name string, args Args, group *ec2.SecurityGroup, login credentials, own pulumi.ResourceOption) error {
	subnets, err := rds.NewSubnetGroup(ctx, name+"-database", &rds.SubnetGroupArgs{
		Description: pulumi.String("Subnets of the database"),
		SubnetIds:   args.SubnetIDs,
		Tags:        pulumi.StringMap{"Name": pulumi.String(name + "-database")},
	}, own)
	if err != nil {
		return err
	}
	parameters, err := newParameters(ctx, name, args, own)
	if err != nil {
		return err
	}
	instanceArgs := settings(name, args, login)
	instanceArgs.ParameterGroupName = parameters.Name
	instanceArgs.DbSubnetGroupName = subnets.Name
	instanceArgs.VpcSecurityGroupIds = pulumi.StringArray{group.ID()}
	instance, err := rds.NewInstance(ctx, naming.Fit(longestIdentifier, name, "database-01"), instanceArgs, own, pulumi.Protect(args.Protect))
	if err != nil {
		return err
	}
	d.Endpoint, d.Name, d.Identifier = instance.Endpoint, instance.DbName, instance.Identifier
	// Secret, since the password is.
	d.URL = pulumi.StringOutput(pulumix.Apply5(
		login.username.Result, login.password.Result, instance.Address, instance.Port, instance.DbName, connectionURL))
	return nil
}

// settings are the server's own.
func settings(name string, args Args, login credentials) *rds.InstanceArgs {
	instance := &rds.InstanceArgs{
		Engine:                   pulumi.String("postgres"),
		EngineVersion:            pulumi.String(args.EngineVersion),
		AllowMajorVersionUpgrade: pulumi.Bool(args.AllowMajorVersionUpgrade),
		AutoMinorVersionUpgrade:  pulumi.Bool(args.AutoMinorVersionUpgrade),
		// A new major version brings a new parameter group, and the old one
		// can't be deleted as long as the upgrade waits for its window.
		ApplyImmediately: pulumi.Bool(args.AllowMajorVersionUpgrade),

		InstanceClass:       pulumi.String(args.InstanceClass),
		MultiAz:             pulumi.Bool(args.MultiAZ),
		StorageType:         pulumi.String("gp3"),
		AllocatedStorage:    pulumi.Int(args.AllocatedStorage),
		MaxAllocatedStorage: pulumi.Int(args.MaxAllocatedStorage),
		StorageEncrypted:    pulumi.Bool(true),

		Port:                             pulumi.Int(port),
		PubliclyAccessible:               pulumi.Bool(false),
		DbName:                           login.name.Result,
		Username:                         login.username.Result,
		Password:                         login.password.Result,
		IamDatabaseAuthenticationEnabled: pulumi.Bool(false),

		BackupRetentionPeriod:  pulumi.Int(args.BackupRetentionDays),
		BackupWindow:           pulumi.String(args.BackupWindow),
		MaintenanceWindow:      pulumi.String(args.MaintenanceWindow),
		CopyTagsToSnapshot:     pulumi.Bool(true),
		DeletionProtection:     pulumi.Bool(args.Protect),
		DeleteAutomatedBackups: pulumi.Bool(!args.Protect),
		SkipFinalSnapshot:      pulumi.Bool(!args.Protect),

		EnabledCloudwatchLogsExports: pulumi.ToStringArray([]string{"postgresql", "upgrade"}),
		PerformanceInsightsEnabled:   pulumi.Bool(args.PerformanceInsights),
		Tags:                         pulumi.StringMap{"Name": pulumi.String(name + "-database-01")},
	}
	if args.Protect {
		// A snapshot outlives the stack. The random name keeps it apart from
		// the one that the next database of this name may leave.
		instance.FinalSnapshotIdentifier = pulumi.Sprintf("%s-database-final-%s", name, login.name.Result)
	}
	if args.KeyARN != nil {
		instance.KmsKeyId = args.KeyARN.ToStringOutput().ToStringPtrOutput()
	}
	return instance
}

// newParameters declares the settings of the server: no connection without
// TLS. The parameter is dynamic, so it needs no restart, and the default only
// from PostgreSQL 15 on (Amazon RDS User Guide, "Using SSL with a PostgreSQL
// DB instance").
func newParameters(ctx *pulumi.Context, name string, args Args, own pulumi.ResourceOption) (*rds.ParameterGroup, error) {
	return rds.NewParameterGroup(ctx, name+"-database", &rds.ParameterGroupArgs{
		Description: pulumi.String("PostgreSQL over TLS only"),
		Family:      pulumi.String("postgres" + args.EngineVersion),
		Parameters: rds.ParameterGroupParameterArray{rds.ParameterGroupParameterArgs{
			Name: pulumi.String("rds.force_ssl"), Value: pulumi.String("1"), ApplyMethod: pulumi.String("immediate"),
		}},
		Tags: pulumi.StringMap{"Name": pulumi.String(name + "-database")},
	}, own)
}

// connectionURL is how libpq and those who imitate it are told where to
// connect (PostgreSQL Documentation, "Connection URIs").
func connectionURL(username, password, host string, port int, name string) string {
	location := url.URL{
		Scheme:   "postgresql",
		User:     url.UserPassword(username, password),
		Host:     net.JoinHostPort(host, strconv.Itoa(port)),
		Path:     "/" + name,
		RawQuery: "sslmode=require",
	}
	return location.String()
}
