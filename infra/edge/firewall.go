package edge

import "bluegreen/infra/firewall"

// entrances is what the load balancer lets in. It is the only thing in the
// platform that is open to the world.
var entrances = []firewall.Ingress{
	{Key: "http", Port: 80, CIDR: firewall.AnywhereIPv4, Description: "HTTP from anywhere over IPv4, to be sent on to HTTPS"},
	{Key: "http-ipv6", Port: 80, CIDR: firewall.AnywhereIPv6, Description: "HTTP from anywhere over IPv6, to be sent on to HTTPS"},
	{Key: "https", Port: 443, CIDR: firewall.AnywhereIPv4, Description: "HTTPS from anywhere over IPv4"},
	{Key: "https-ipv6", Port: 443, CIDR: firewall.AnywhereIPv6, Description: "HTTPS from anywhere over IPv6"},
}
