package spelling

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNearest(t *testing.T) {
	known := []string{"network", "edge", "fleet", "zones", "cidr", "ipv6", "MAILGUN_API_KEY", "MAILGUN_DOMAIN", "DJANGO_ADMIN_URL"}
	for word, want := range map[string]string{
		"netwrok":         "network",
		"zonse":           "zones",
		"Zones":           "zones",
		"zone":            "zones",
		"ipv4":            "ipv6",
		"MAILGUN_APIKEY":  "MAILGUN_API_KEY",
		"MAILGUN_SENDER":  "", // no more than the beginning is MAILGUN_DOMAIN's
		"DJANGO_EMAIL_ID": "",
		"tags":            "",
		"vpc":             "",
		"":                "",
	} {
		assert.Equal(t, want, Nearest(word, known), word)
	}
}
