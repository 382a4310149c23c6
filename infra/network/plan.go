package network

import (
	"errors"
	"fmt"
	"net/netip"
)

// Every zone owns one slot, chosen by its letter, so that the list of zones
// can grow or shrink without moving the others. Changing any of these numbers
// renumbers, and so replaces, every subnet.
const (
	subnetBits     = 24 // 256 addresses, 251 usable (Amazon VPC User Guide, "Subnet sizing")
	ipv6SubnetBits = 64 // the only size an IPv6 subnet of a VPC may have
	slots          = 8  // letters a to h; no region has more zones
)

// checkBlock refuses what cannot hold every slot, and public ranges.
func checkBlock(block netip.Prefix) error {
	switch {
	case !block.IsValid():
		return errors.New("want an IPv4 block like 10.0.0.0/16, got none")
	case !block.Addr().Is4():
		return fmt.Errorf("want an IPv4 block like 10.0.0.0/16, got %s", block)
	case block != block.Masked():
		return fmt.Errorf("%s has host bits set; write %s", block, block.Masked())
	case block.Bits() < 16 || block.Bits() > 20:
		return fmt.Errorf("want /16 to /20, got /%d; the VPC limit is /16 and eight /24 subnets need room", block.Bits())
	case !block.Addr().IsPrivate():
		return fmt.Errorf("%s is not a private range (RFC 1918); use one inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", block)
	}
	return nil
}

// slot is the place of a zone letter in the address plan: a is 0.
func slot(zone string) (int, error) {
	if len(zone) != 1 || zone[0] < 'a' || zone[0] >= 'a'+slots {
		return 0, fmt.Errorf("want a letter from a to %c, got %q", 'a'+slots-1, zone)
	}
	return int(zone[0] - 'a'), nil
}

// subnet is the part of an IPv4 block that a zone owns.
func subnet(block netip.Prefix, zone string) (netip.Prefix, error) {
	n, err := slot(zone)
	if err != nil {
		return netip.Prefix{}, err
	}
	address := block.Masked().Addr().As4()
	address[2] += byte(n)
	return netip.PrefixFrom(netip.AddrFrom4(address), subnetBits), nil
}

// ipv6Subnet is the /64 of a zone in the /56 that Amazon gave the VPC.
func ipv6Subnet(block, zone string) (string, error) {
	prefix, err := netip.ParsePrefix(block)
	if err != nil {
		return "", fmt.Errorf("ipv6 block of the VPC: %w", err)
	}
	n, err := slot(zone)
	if err != nil {
		return "", err
	}
	address := prefix.Masked().Addr().As16()
	address[7] += byte(n)
	return netip.PrefixFrom(netip.AddrFrom16(address), ipv6SubnetBits).String(), nil
}
