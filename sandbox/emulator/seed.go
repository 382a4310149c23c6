package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// Seed is what the emulated account holds from the start: what a program looks
// up and does not create.
type Seed struct {
	Zones         []string // domain names of public hosted zones
	Images        []Image  // machine images, in every region; see UbuntuImages
	OIDCProviders []string // URLs of IAM's OpenID Connect providers
}

// Image is a public machine image with a root volume of 8 GiB gp3.
type Image struct {
	ID           string // "ami-" and 17 hexadecimal digits
	Name         string
	Architecture string // "x86_64" or "arm64"
	Owner        string // account, 12 digits
	Created      time.Time
}

// writeImages writes the images in the form that moto reads from MOTO_AMIS_PATH.
func (s Seed) writeImages(path string) error {
	images := make([]map[string]any, 0, len(s.Images))
	for _, image := range s.Images {
		images = append(images, map[string]any{
			"ami_id":              image.ID,
			"name":                image.Name,
			"description":         image.Name,
			"owner_id":            image.Owner,
			"public":              true,
			"architecture":        image.Architecture,
			"creation_date":       image.Created.UTC().Format("2006-01-02T15:04:05.000Z"),
			"image_location":      image.Owner + "/" + image.Name,
			"hypervisor":          "xen",
			"virtualization_type": "hvm",
			"root_device_name":    "/dev/sda1",
			"root_device_type":    "ebs",
			"sriov":               "simple",
			"state":               "available",
		})
	}
	content, err := json.Marshal(images)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// create makes the zones and providers in moto. Images are there already: moto
// reads them when it starts.
func (s Seed) create(ctx context.Context, moto, region string) error {
	anyone := credentials.NewStaticCredentialsProvider("emulator", "emulator", "")
	zones := route53.New(route53.Options{Region: region, BaseEndpoint: &moto, Credentials: anyone})
	for _, zone := range s.Zones {
		_, err := zones.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: &zone, CallerReference: aws.String("seed " + zone)})
		if err != nil {
			return fmt.Errorf("hosted zone %s: %w", zone, err)
		}
	}
	providers := iam.New(iam.Options{Region: region, BaseEndpoint: &moto, Credentials: anyone})
	for _, provider := range s.OIDCProviders {
		_, err := providers.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
			Url: &provider, ClientIDList: []string{"sts.amazonaws.com"},
		})
		if err != nil {
			return fmt.Errorf("OIDC provider %s: %w", provider, err)
		}
	}
	return nil
}
