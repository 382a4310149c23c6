package fleet

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// Families that EC2 offers, by the processor their documentation names
// (Amazon EC2 Instance Types guide).
var families = map[string][]string{
	amd64: {
		"t2", "t3", "t3a", "m4", "m5", "m5a", "m5ad", "m5d", "m5dn", "m5n", "m5zn", "m6a", "m6i", "m6id", "m6idn", "m6in", "m7a", "m7i", "m7i-flex", "m8a", "m8i", "m8i-flex",
		"c4", "c5", "c5a", "c5ad", "c5d", "c5n", "c6a", "c6i", "c6id", "c6in", "c7a", "c7i", "c7i-flex",
		"r4", "r5", "r5a", "r5b", "r5n", "r6a", "r6i", "r6idn", "r7a", "r7i", "r7iz", "x1", "x1e", "x2idn", "x2iedn", "x2iezn", "z1d",
		"u-3tb1", "u-6tb1", "u7i-12tb", "u7in-16tb", "u7inh-32tb",
		"d2", "d3", "d3en", "h1", "i2", "i3", "i3en", "i4i", "i7i", "i7ie",
		"f1", "f2", "g3", "g3s", "g4ad", "g4dn", "g5", "g6", "g6e", "gr6", "p3", "p3dn", "p4d", "p4de", "p5", "p5en", "p6-b200", "inf1", "inf2", "trn1", "trn1n", "trn2", "dl1", "dl2q", "vt1",
		"hpc6a", "hpc6id", "hpc7a",
	},
	arm64: {
		"a1", "t4g", "m6g", "m6gd", "m7g", "m7gd", "m8g", "m8gd", "c6g", "c6gd", "c6gn", "c7g", "c7gd", "c7gn", "c8g", "c8gd", "c8gn",
		"r6g", "r6gd", "r7g", "r7gd", "r8g", "r8gb", "x2gd", "x8g", "i4g", "im4gn", "is4gen", "i8g", "i8ge", "g5g", "hpc7g", "p6e-gb200",
	},
}

var sizes = []string{"nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "16xlarge", "112xlarge", "metal", "metal-24xl"}

func TestArchitectureOfRealFamilies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		architecture := rapid.SampledFrom([]string{amd64, arm64}).Draw(t, "architecture")
		name := rapid.SampledFrom(families[architecture]).Draw(t, "family") + "." + rapid.SampledFrom(sizes).Draw(t, "size")
		spec := Default()
		spec.InstanceTypes = []string{name}
		assert.NoError(t, spec.Validate(), name)
		assert.Equal(t, architecture, spec.Architecture(), name)
	})
	// Draws are random; each family is seen at least once here.
	for architecture, names := range families {
		for _, name := range names {
			assert.Equal(t, architecture, Spec{InstanceTypes: []string{name + ".large"}}.Architecture(), name)
		}
	}
}

func TestTypesOfTwoArchitecturesNeverPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Default()
		spec.InstanceTypes = rapid.Permutation([]string{
			rapid.SampledFrom(families[amd64]).Draw(t, "amd64") + ".large",
			rapid.SampledFrom(families[arm64]).Draw(t, "arm64") + ".large",
		}).Draw(t, "order")
		assert.ErrorContains(t, spec.Validate(), "choose types of one architecture")
	})
}

func TestArchitectureOfNothing(t *testing.T) {
	assert.Equal(t, amd64, Spec{}.Architecture())
	assert.Equal(t, amd64, Spec{InstanceTypes: []string{"nonsense"}}.Architecture())
}

func TestImageName(t *testing.T) {
	for _, test := range []struct{ release, architecture, want string }{
		{"22.04", amd64, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"},
		{"24.04", amd64, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"},
		{"24.04", arm64, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*"},
		{"26.04", arm64, "ubuntu/images/hvm-ssd-gp3/ubuntu-resolute-26.04-arm64-server-*"},
		{"20.04", amd64, ""},
	} {
		assert.Equal(t, test.want, ImageName(test.release, test.architecture), test.release)
	}
}
