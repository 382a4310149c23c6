package network

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// block draws any block that Validate accepts.
func block(t *rapid.T) netip.Prefix {
	bits := rapid.IntRange(16, 20).Draw(t, "bits")
	second, third := rapid.Byte().Draw(t, "second"), rapid.Byte().Draw(t, "third")
	address := netip.AddrFrom4([4]byte{10, second, third, 0})
	return netip.PrefixFrom(address, bits).Masked()
}

func letter(t *rapid.T, label string) string {
	return string(rune('a' + rapid.IntRange(0, slots-1).Draw(t, label)))
}

// What a zone owns depends on the block and its own letter only. That it takes
// no list of zones is the proof that adding one moves nothing.
func TestSubnetsOfAPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := block(t)
		require.NoError(t, checkBlock(whole))
		one, two := letter(t, "one"), letter(t, "two")
		first, err := subnet(whole, one)
		require.NoError(t, err)
		second, err := subnet(whole, two)
		require.NoError(t, err)

		assert.True(t, whole.Contains(first.Addr()), "%s lies outside %s", first, whole)
		assert.Equal(t, subnetBits, first.Bits())
		assert.Equal(t, first, first.Masked())
		assert.Equal(t, one == two, first.Overlaps(second), "%s and %s", first, second)
	})
}

func TestIPv6Subnet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, two := letter(t, "one"), letter(t, "two")
		first, err := ipv6Subnet("2600:1f16:abc:de00::/56", one)
		require.NoError(t, err)
		second, err := ipv6Subnet("2600:1f16:abc:de00::/56", two)
		require.NoError(t, err)
		assert.Equal(t, one == two, first == second)
		assert.True(t, netip.MustParsePrefix("2600:1f16:abc:de00::/56").Overlaps(netip.MustParsePrefix(first)))
	})
	_, err := ipv6Subnet("not a block", "a")
	assert.ErrorContains(t, err, "ipv6 block of the VPC")
}
