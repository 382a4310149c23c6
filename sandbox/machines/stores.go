package machines

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// stores lists databases and caches with their logins. AWS tells nobody a
// password; the application has it from Parameter Store, in the URL of its host,
// and so does this.
func (c *cloud) stores(ctx context.Context) (found stores, err error) {
	databases, err := rds.NewFromConfig(c.config).DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{})
	if err != nil {
		return found, err
	}
	for _, instance := range databases.DBInstances {
		if instance.Endpoint != nil && strings.HasPrefix(aws.ToString(instance.Engine), "postgres") {
			found.names = append(found.names, aws.ToString(instance.Endpoint.Address))
		}
	}
	caches, err := elasticache.NewFromConfig(c.config).DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{})
	if err != nil {
		return found, err
	}
	for _, group := range caches.ReplicationGroups {
		for _, nodes := range group.NodeGroups {
			for _, endpoint := range []*string{address(nodes.PrimaryEndpoint), address(nodes.ReaderEndpoint)} {
				if aws.ToString(endpoint) != "" {
					found.names = append(found.names, *endpoint)
				}
			}
		}
	}
	slices.Sort(found.names)
	found.names = slices.Compact(found.names)
	if len(found.names) == 0 {
		return found, nil
	}
	urls, err := c.urls(ctx)
	for _, text := range urls {
		found.add(text)
	}
	return found, err
}

func address(endpoint *types.Endpoint) *string {
	if endpoint == nil {
		return nil
	}
	return endpoint.Address
}

// add takes the login of a URL that leads to one of the stores.
func (s *stores) add(text string) {
	at, err := url.Parse(text)
	if err != nil || at.User == nil || !slices.Contains(s.names, at.Hostname()) {
		return // it leads elsewhere
	}
	password, _ := at.User.Password()
	switch at.Scheme {
	case "postgres", "postgresql":
		l := login{user: at.User.Username(), password: password, database: strings.TrimPrefix(at.Path, "/")}
		if !slices.Contains(s.databases, l) {
			s.databases = append(s.databases, l)
		}
	case "redis", "rediss":
		if !slices.Contains(s.passwords, password) {
			s.passwords = append(s.passwords, password)
		}
	}
}

// urls are the values of all parameters whose name ends like that of a URL,
// ordered by name.
func (c *cloud) urls(ctx context.Context) (values []string, err error) {
	client := ssm.NewFromConfig(c.config)
	var names []string
	pages := ssm.NewDescribeParametersPaginator(client, &ssm.DescribeParametersInput{ParameterFilters: []ssmtypes.ParameterStringFilter{
		{Key: aws.String("Name"), Option: aws.String("Contains"), Values: []string{"_URL"}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, parameter := range page.Parameters {
			names = append(names, aws.ToString(parameter.Name))
		}
	}
	slices.Sort(names)
	for some := range slices.Chunk(names, 10) { // as many as one call takes (AWS Systems Manager API Reference, "GetParameters")
		out, err := client.GetParameters(ctx, &ssm.GetParametersInput{Names: some, WithDecryption: aws.Bool(true)})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(out.Parameters, func(a, b ssmtypes.Parameter) int { return strings.Compare(*a.Name, *b.Name) })
		for _, parameter := range out.Parameters {
			values = append(values, aws.ToString(parameter.Value))
		}
	}
	return values, nil
}
