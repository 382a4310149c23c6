package fleet

import (
	"encoding/base64"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newLaunchTemplate declares what a new instance is. It asks for no spot
// capacity: the Auto Scaling group decides how instances are bought.
func newLaunchTemplate(ctx *pulumi.Context, name string, args Args, script string, group *ec2.SecurityGroup, own pulumi.ResourceOption) (*ec2.LaunchTemplate, error) {
	role := name + "-MainLaunchTemplate"
	template := &ec2.LaunchTemplateArgs{
		Description:         pulumi.String(described(name, args)),
		ImageId:             pulumi.String(args.ImageID),
		InstanceType:        pulumi.String(args.InstanceTypes[0]),
		VpcSecurityGroupIds: pulumi.StringArray{group.ID()},
		IamInstanceProfile: ec2.LaunchTemplateIamInstanceProfileArgs{
			Arn: args.InstanceProfileARN.ToStringOutput(),
		},
		UserData: pulumi.String(base64.StdEncoding.EncodeToString([]byte(script))),
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{
			ec2.LaunchTemplateBlockDeviceMappingArgs{
				DeviceName: pulumi.String("/dev/sda1"), // the root volume of Canonical's images
				Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
					VolumeType:          pulumi.String("gp3"),
					VolumeSize:          pulumi.Int(args.VolumeSize),
					Encrypted:           pulumi.String("true"),
					DeleteOnTermination: pulumi.String("true"),
				},
			},
		},
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"),
			HttpTokens:   pulumi.String("required"),
			// The instance's own processes are one hop away. A second hop
			// would hand its role to whatever a container on it runs.
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		TagSpecifications: tagSpecifications(args.instanceName(name), args.Tags),
		// Whoever launches by hand gets today's template. The Auto Scaling
		// group asks for the latest version in any case.
		UpdateDefaultVersion: pulumi.Bool(true),
		Tags:                 pulumi.StringMap{"Name": pulumi.String(role)},
	}
	if args.KeyName != "" {
		template.KeyName = pulumi.String(args.KeyName)
	}
	return ec2.NewLaunchTemplate(ctx, role, template, own)
}

// tagSpecifications tags all that a launch makes.
func tagSpecifications(name string, tags map[string]string) ec2.LaunchTemplateTagSpecificationArray {
	all := pulumi.StringMap{}
	for key, value := range tags {
		all[key] = pulumi.String(value)
	}
	all["Name"] = pulumi.String(name)
	var specifications ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "network-interface", "volume"} {
		specifications = append(specifications, ec2.LaunchTemplateTagSpecificationArgs{
			ResourceType: pulumi.String(kind),
			Tags:         all,
		})
	}
	return specifications
}
