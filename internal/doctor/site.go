package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answerTime is how long the site may take to answer.
const answerTime = 10 * time.Second

// checkSite asks the load balancer for the health path, with each name of the
// site, which nginx has to know.
func checkSite(ctx context.Context, p *patient) Finding {
	found, _ := p.settings()
	outputs, _ := p.outputs()
	address, _ := outputs["loadBalancerDnsName"].(string)
	if p.Site == "" && emulated() {
		return notChecked(errors.New("the emulated load balancer answers nobody; with machines, name its address with --site-url"))
	}
	var problems []string
	for _, host := range found.Edge.Hosts() {
		if err := p.ask(ctx, host, address, found.Edge.HealthCheckPath); err != nil {
			problems = append(problems, fmt.Sprintf("https://%s%s: %s", host, found.Edge.HealthCheckPath, oneLine(err)))
		}
	}
	if len(problems) > 0 {
		return p.worse(strings.Join(problems, "; "))
	}
	return ok("%s answers 200 for %s", found.Edge.HealthCheckPath, strings.Join(found.Edge.Hosts(), ", "))
}

// ask gets a path of host from the load balancer, or from Options.Site.
func (p *patient) ask(ctx context.Context, host, balancer, path string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	site := "https://" + host
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(balancer, "443"))
		},
	}
	if p.Site != "" {
		site, transport = p.Site, &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}
	}
	place, err := url.JoinPath(site, path)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, http.NoBody)
	if err != nil {
		return err
	}
	request.Host = host
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), `Get "`+place+`": `))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("want 200, got %d", answer.StatusCode)
	}
	return nil
}
