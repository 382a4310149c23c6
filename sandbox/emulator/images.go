package emulator

import (
	"fmt"
	"hash/fnv"
	"time"
)

// canonical is the account that publishes Ubuntu's images (Canonical, "Find
// Ubuntu images on AWS").
const canonical = "099720109477"

// UbuntuImages lists server images of the Ubuntu releases with long-term
// support, for amd64 and arm64, each published on two days: what a lookup of the
// most recent one finds is then more than the only one there is. An image keeps
// its id for good.
func UbuntuImages() []Image {
	releases := []struct{ name, storage string }{
		{"jammy-22.04", "hvm-ssd"}, // gp3 came with 24.04
		{"noble-24.04", "hvm-ssd-gp3"},
		{"resolute-26.04", "hvm-ssd-gp3"},
	}
	architectures := []struct{ ubuntu, ec2 string }{{"amd64", "x86_64"}, {"arm64", "arm64"}}
	days := []time.Time{
		time.Date(2026, time.May, 4, 6, 0, 0, 0, time.UTC),
		time.Date(2026, time.June, 1, 6, 0, 0, 0, time.UTC),
	}
	var images []Image
	for _, release := range releases {
		for _, architecture := range architectures {
			for _, day := range days {
				name := fmt.Sprintf("ubuntu/images/%s/ubuntu-%s-%s-server-%s", release.storage, release.name, architecture.ubuntu, day.Format("20060102"))
				images = append(images, Image{ID: imageID(name), Name: name, Architecture: architecture.ec2, Owner: canonical, Created: day})
			}
		}
	}
	return images
}

func imageID(name string) string {
	sum := fnv.New64a()
	sum.Write([]byte(name))
	return fmt.Sprintf("ami-0%016x", sum.Sum64())
}
