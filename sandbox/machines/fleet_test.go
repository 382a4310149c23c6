package machines

import (
	"encoding/base64"
	"fmt"
	"strings"

	"bluegreen/infra/fleet"
	"bluegreen/sandbox/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

func (w *world) makeFleet(size int32) {
	w.Helper()
	ctx := w.Context()
	vpc, err := w.cloud.machines.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	require.NoError(w, err)
	var subnets []string
	for i, block := range []string{"10.0.0.0/20", "10.0.16.0/20"} {
		subnet, err := w.cloud.machines.CreateSubnet(ctx, &ec2.CreateSubnetInput{
			VpcId: vpc.Vpc.VpcId, CidrBlock: &block, AvailabilityZone: aws.String(testRegion + string(rune('a'+i))),
		})
		require.NoError(w, err)
		subnets = append(subnets, *subnet.Subnet.SubnetId)
	}
	group, err := w.cloud.balancing.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String(testFleet), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: vpc.Vpc.VpcId,
	})
	require.NoError(w, err)
	w.target = *group.TargetGroups[0].TargetGroupArn
	_, err = w.cloud.balancing.ModifyTargetGroupAttributes(ctx, &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &w.target, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("1")}},
	})
	require.NoError(w, err)
	w.makeTemplate()
	_, err = w.cloud.scaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(testFleet), MinSize: aws.Int32(0), MaxSize: aws.Int32(6), DesiredCapacity: &size,
		VPCZoneIdentifier: aws.String(strings.Join(subnets, ",")), TargetGroupARNs: []string{w.target},
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String(testFleet), Version: aws.String("$Latest")},
	})
	require.NoError(w, err)
}

// makeTemplate makes the launch template that the project's own fleet has, as
// far as machines see it.
func (w *world) makeTemplate() {
	w.Helper()
	ctx := w.Context()
	_, err := w.cloud.identity.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("web"), AssumeRolePolicyDocument: aws.String("{}")})
	require.NoError(w, err)
	_, err = w.cloud.identity.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("web-profile")})
	require.NoError(w, err)
	_, err = w.cloud.identity.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{
		InstanceProfileName: aws.String("web-profile"), RoleName: aws.String("web"),
	})
	require.NoError(w, err)
	script, err := fleet.UserData(testRegion, "/example/prod/", "web worker beat")
	require.NoError(w, err)
	_, err = w.cloud.machines.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(testFleet),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String(emulator.UbuntuImages()[0].ID), InstanceType: ec2types.InstanceTypeT3Micro,
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String("web-profile")},
			UserData:           aws.String(base64.StdEncoding.EncodeToString([]byte(script))),
		},
	})
	require.NoError(w, err)
}

// addStores makes a database and a cache, and tells Parameter Store about them.
func (w *world) addStores() (databaseURL, redisURL string) {
	w.Helper()
	ctx := w.Context()
	database, err := rds.NewFromConfig(w.cloud.config).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("database"), Engine: aws.String("postgres"), DBInstanceClass: aws.String("db.t4g.micro"),
		DBName: aws.String("shop"), MasterUsername: aws.String("owner"), MasterUserPassword: aws.String("it's a p@ss/word"), AllocatedStorage: aws.Int32(20),
	})
	require.NoError(w, err)
	nodes, err := elasticache.NewFromConfig(w.cloud.config).CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("cache"), ReplicationGroupDescription: aws.String("cache"), Engine: aws.String("valkey"),
		NumCacheClusters: aws.Int32(1), TransitEncryptionEnabled: aws.Bool(true), AuthToken: aws.String("0123456789abcdef"),
	})
	require.NoError(w, err)
	databaseURL = fmt.Sprintf("postgresql://owner:it%%27s%%20a%%20p%%40ss%%2Fword@%s:5432/shop?sslmode=require", *database.DBInstance.Endpoint.Address)
	redisURL = fmt.Sprintf("rediss://:0123456789abcdef@%s:6379/0?ssl_cert_reqs=required", *nodes.ReplicationGroup.NodeGroups[0].PrimaryEndpoint.Address)
	for name, value := range map[string]string{"DATABASE_URL": databaseURL, "REDIS_URL": redisURL} {
		_, err := ssm.NewFromConfig(w.cloud.config).PutParameter(ctx, &ssm.PutParameterInput{
			Name: aws.String("/example/prod/" + name), Value: &value, Type: ssmtypes.ParameterTypeSecureString,
		})
		require.NoError(w, err)
	}
	return databaseURL, redisURL
}
