package fleet

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

//go:embed userdata.sh.tmpl
var userDataText string

var userDataTemplate = template.Must(template.New("userdata.sh").Option("missingkey=error").Parse(userDataText))

// userData is what an instance is told at its first start. Everybody on the
// instance can read it: it holds no secret, only where the secrets are.
type userData struct {
	Region        string
	ParameterPath string
}

// largestUserData is the limit in bytes, before base64 (Amazon EC2 User Guide,
// "Run commands when you launch an EC2 instance with user data input").
const largestUserData = 16 * 1024

var (
	region        = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	parameterPath = regexp.MustCompile(`^/([A-Za-z0-9_.-]+/)+$`)
)

// UserData is the script that an instance of a region runs at its first start,
// for a site whose variables are in Parameter Store under parameterPath, a path
// like /example/prod/. Run with the argument prepare-image it makes an image of
// the machine that it runs on instead. Errors name the value that is wrong.
func UserData(region, parameterPath string) (string, error) {
	return render(userData{Region: region, ParameterPath: parameterPath})
}

// render writes the script. Its values stand between quotes of the shell, so
// it refuses what has no business there.
func render(data userData) (string, error) {
	var problems []error
	if !region.MatchString(data.Region) {
		problems = append(problems, fmt.Errorf("region: want a region like us-east-2, got %q", data.Region))
	}
	if !parameterPath.MatchString(data.ParameterPath) {
		problems = append(problems, fmt.Errorf("parameterPath: want a path like /example/prod/, got %q", data.ParameterPath))
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	var script strings.Builder
	if err := userDataTemplate.Execute(&script, data); err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	if script.Len() > largestUserData {
		return "", fmt.Errorf("user data: %d bytes exceed the limit of EC2, %d; shorten userdata.sh.tmpl", script.Len(), largestUserData)
	}
	return script.String(), nil
}

// AgentBucket is the address of the bucket from which a region's instances
// install the CodeDeploy agent (AWS CodeDeploy User Guide, "Resource kit
// bucket names by Region").
func (d userData) AgentBucket() string {
	domain := "amazonaws.com"
	if strings.HasPrefix(d.Region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return fmt.Sprintf("https://aws-codedeploy-%[1]s.s3.%[1]s.%[2]s", d.Region, domain)
}
