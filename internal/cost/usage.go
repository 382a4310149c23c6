package cost

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// Usage is what nobody can read from a list of resources: how much of them is
// used in a month. The values of Assumed are guesses for a small site.
//
// AWS's free allowances are shared by the account, so none is subtracted.
type Usage struct {
	Releases          float64 `yaml:"releases" json:"releases"`                   // each doubles the web fleet for a while
	ReleaseMinutes    float64 `yaml:"releaseMinutes" json:"releaseMinutes"`       // of a release, without the wait before the old instances go
	SpotDiscount      float64 `yaml:"spotDiscount" json:"spotDiscount"`           // percent below the on-demand price; AWS says up to 90
	TrafficGB         float64 `yaml:"trafficGB" json:"trafficGB"`                 // to the internet
	ZoneGB            float64 `yaml:"zoneGB" json:"zoneGB"`                       // between availability zones
	LoadBalancerUnits float64 `yaml:"loadBalancerUnits" json:"loadBalancerUnits"` // LCU, on average; one is 1 GB an hour or 25 new connections a second
	BucketGB          float64 `yaml:"bucketGB" json:"bucketGB"`                   // in each bucket
	BucketWrites      float64 `yaml:"bucketWrites" json:"bucketWrites"`           // thousands of write requests to each bucket
	LogGB             float64 `yaml:"logGB" json:"logGB"`                         // into each log group
	BackupGB          float64 `yaml:"backupGB" json:"backupGB"`                   // of each database, beyond its own size, up to which backups are free
	CacheBackupGB     float64 `yaml:"cacheBackupGB" json:"cacheBackupGB"`         // of each cache that keeps backups
	DNSQueries        float64 `yaml:"dnsQueries" json:"dnsQueries"`               // millions, to each zone, without those of aliases, which are free
	KeyRequests       float64 `yaml:"keyRequests" json:"keyRequests"`             // ten thousands, of each key
	Notifications     float64 `yaml:"notifications" json:"notifications"`         // millions, of each topic
}

// Assumed is the usage that an estimate goes by where nothing else is said.
func Assumed() Usage {
	return Usage{
		Releases: 20, ReleaseMinutes: 5, SpotDiscount: 60, TrafficGB: 50, ZoneGB: 20, LoadBalancerUnits: 0.1,
		BucketGB: 5, BucketWrites: 10, LogGB: 2, BackupGB: 0, CacheBackupGB: 0.5, DNSQueries: 0.1, KeyRequests: 1, Notifications: 0.001,
	}
}

// Read takes amounts from YAML, as in "releases: 40", and leaves the others.
//
// Errors: a name that Usage does not have, and those of Validate.
func (u Usage) Read(text []byte) (Usage, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&u); err != nil && !errors.Is(err, io.EOF) {
		return Usage{}, err
	}
	return u, u.Validate()
}

// most is more than anything a stack has or uses in a month; what is above it is
// a mistake, which no sum should be made of.
const most = 1e12

// Validate refuses negative and endless amounts, and a discount of more than the
// whole price.
func (u Usage) Validate() error {
	var problems []error
	for _, amount := range []struct {
		name  string
		value float64
	}{
		{"releases", u.Releases},
		{"releaseMinutes", u.ReleaseMinutes},
		{"spotDiscount", u.SpotDiscount},
		{"trafficGB", u.TrafficGB},
		{"zoneGB", u.ZoneGB},
		{"loadBalancerUnits", u.LoadBalancerUnits},
		{"bucketGB", u.BucketGB},
		{"bucketWrites", u.BucketWrites},
		{"logGB", u.LogGB},
		{"backupGB", u.BackupGB},
		{"cacheBackupGB", u.CacheBackupGB},
		{"dnsQueries", u.DNSQueries},
		{"keyRequests", u.KeyRequests},
		{"notifications", u.Notifications},
	} {
		if !(amount.value >= 0 && amount.value <= most) { // NaN too
			problems = append(problems, fmt.Errorf("%s: want 0 to %.0f, got %g", amount.name, most, amount.value))
		}
	}
	if u.SpotDiscount > 100 {
		problems = append(problems, fmt.Errorf("spotDiscount: want at most 100 percent, got %g", u.SpotDiscount))
	}
	return errors.Join(problems...)
}
