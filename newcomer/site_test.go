package newcomer

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// site stands in for the application where a release asks it, over HTTP, for what
// is needed once: it knows the token that Parameter Store has for it, and which
// deployment it is from.
type site struct {
	*newcomer
	mutex sync.Mutex
	asked []string // paths, of those who know the token
}

// serve is the site, on loopback, and its address.
func (n *newcomer) serve() (*site, string) {
	s := &site{newcomer: n}
	server := httptest.NewServer(s)
	n.Cleanup(server.Close)
	return s, server.URL
}

// ServeHTTP answers that a step is done.
func (s *site) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	token, err := ssm.NewFromConfig(s.account.Config).GetParameter(s.Context(), &ssm.GetParameterInput{
		Name: aws.String("/bakery/prod/SINGLE_CD_AUTHORIZATION_TOKEN"), WithDecryption: aws.Bool(true),
	})
	if !assert.NoError(s, err) || request.Header.Get("Authorization") != "Bearer "+aws.ToString(token.Parameter.Value) {
		http.Error(w, "not you", http.StatusForbidden)
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !slices.Contains(s.asked, request.URL.Path) {
		s.asked = append(s.asked, request.URL.Path)
	}
	live := s.live()
	assert.NoError(s, json.NewEncoder(w).Encode(map[string]any{"release": live[strings.LastIndex(live, "_")+1:], "state": "done", "pending": []string{}}))
}

// live is the group that has the visitors, by what CodeDeploy says.
func (n *newcomer) live() string {
	n.Helper()
	found, err := codedeploy.NewFromConfig(n.account.Config).GetDeploymentGroup(n.Context(), &codedeploy.GetDeploymentGroupInput{
		ApplicationName: aws.String("bakery-prod"), DeploymentGroupName: aws.String("bakery-prod-DeploymentGroup-01"),
	})
	require.NoError(n, err)
	require.Len(n, found.DeploymentGroupInfo.AutoScalingGroups, 1)
	return aws.ToString(found.DeploymentGroupInfo.AutoScalingGroups[0].Name)
}
