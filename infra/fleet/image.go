package fleet

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Canonical is the AWS account that publishes Ubuntu's images (Ubuntu on AWS
// documentation, "Find Ubuntu images on AWS").
const Canonical = "099720109477"

// The two architectures, in Canonical's words.
const (
	amd64 = "amd64"
	arm64 = "arm64"
)

// releases maps a release to where Canonical keeps its server images: volumes
// are gp3 since 24.04.
var releases = map[string]string{
	"22.04": "hvm-ssd/ubuntu-jammy-22.04",
	"24.04": "hvm-ssd-gp3/ubuntu-noble-24.04",
	"26.04": "hvm-ssd-gp3/ubuntu-resolute-26.04",
}

// ImageName is the pattern of the names of Canonical's images for a release
// and an architecture, and "" for a release that Validate refuses.
func ImageName(release, architecture string) string {
	name, known := releases[release]
	if !known {
		return ""
	}
	return "ubuntu/images/" + name + "-" + architecture + "-server-*"
}

// Architecture is "amd64" or "arm64", after the first instance type.
func (s Spec) Architecture() string {
	if len(s.InstanceTypes) == 0 {
		return amd64
	}
	return architecture(s.InstanceTypes[0])
}

// instanceType splits a type into what stands before the generation, what
// after it, and the size: im4gn.16xlarge, m7i-flex.large, u-6tb1.metal
// (Amazon EC2 Instance Types guide, "Naming conventions").
var instanceType = regexp.MustCompile(`^([a-z]+-?)[0-9]+([a-z0-9-]*)\.(nano|micro|small|medium|(?:[0-9]*x)?large|metal(?:-[0-9]+xl)?)$`)

// architecture reads the processor from a type's family: a g after the
// generation is Graviton (or, in p6e-gb200, Grace), and so is a1, the first of
// them. In front of the generation, g is a family with graphics processors.
func architecture(name string) string {
	parts := instanceType.FindStringSubmatch(name)
	if parts != nil && (strings.Contains(parts[2], "g") || strings.HasPrefix(name, "a1.")) {
		return arm64
	}
	return amd64
}

func checkInstanceTypes(types []string) error {
	if len(types) == 0 {
		return errors.New("instanceTypes: want at least one, got none; add t3.micro")
	}
	var problems []error
	for i, name := range types {
		switch {
		case !instanceType.MatchString(name):
			problems = append(problems, fmt.Errorf("instanceTypes[%d]: want a type like t3.micro, got %q", i, name))
		case slices.Contains(types[:i], name):
			problems = append(problems, fmt.Errorf("instanceTypes[%d]: %q is listed twice; remove one", i, name))
		case instanceType.MatchString(types[0]) && architecture(name) != architecture(types[0]):
			problems = append(problems, fmt.Errorf("instanceTypes[%d]: %s is %s, but %s is %s; one image runs on one of them: choose types of one architecture",
				i, name, architecture(name), types[0], architecture(types[0])))
		}
	}
	return errors.Join(problems...)
}

// An image id has eight digits if it is old, seventeen if it is new.
var imageID = regexp.MustCompile(`^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$`)

func checkImage(release, id string) error {
	var problems []error
	if _, known := releases[release]; !known {
		problems = append(problems, fmt.Errorf("ubuntu: want one of %s, got %q",
			strings.Join(slices.Sorted(maps.Keys(releases)), ", "), release))
	}
	if id != "" && !imageID.MatchString(id) {
		problems = append(problems, fmt.Errorf("imageId: want an id like ami-0123456789abcdef0, or nothing for the newest image; got %q", id))
	}
	return errors.Join(problems...)
}
