package firewall

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Clients are the security groups that may connect to a server, by a name that
// stays: the name is part of the rule's.
type Clients map[string]pulumi.StringInput

// Validate wants at least one client, and a group for each.
func (c Clients) Validate() error {
	if len(c) == 0 {
		return errors.New("clients: want at least one security group that may connect, got none")
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if c[name] == nil {
			problems = append(problems, fmt.Errorf("clients.%s: want a security group, got none", name))
		}
	}
	return errors.Join(problems...)
}

// Ingress is a rule for each client. server is how descriptions speak of what
// they connect to.
func (c Clients) Ingress(server string, port int) (rules []Ingress) {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		rules = append(rules, Ingress{Key: name, Port: port, Group: c[name], Description: server + " from " + name})
	}
	return rules
}
