package appspec

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnknownKeysAreRefusedOnlyStrictly(t *testing.T) {
	text := []byte("version: 0.0\nos: linux\npermissions: [{object: /srv, onwer: web}]\n")
	spec, err := Read(text)
	require.NoError(t, err)
	assert.Empty(t, spec.Problems())
	assert.Empty(t, spec.Permissions[0].Owner)
	_, err = ReadStrictly(text)
	require.ErrorContains(t, err, "line 3: field onwer not found")
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	spec, err := Read([]byte("files: [{}]\npermissions: [{mode: 9, type: [link]}]\nhooks: {AfterInstall: [{timeout: 0}]}\nfile_exists_behavior: ASK\n"))
	require.NoError(t, err)
	err = errors.Join(spec.Problems()...)
	for _, said := range []string{
		"version: want 0.0", "os: want linux", "file_exists_behavior: want", "files[0].source: want", "files[0].destination: want",
		"permissions[0].object: want", "permissions[0].type: want", "permissions[0].mode: want",
		"hooks.AfterInstall[0].location: want", "hooks.AfterInstall[0].timeout: want",
	} {
		assert.ErrorContains(t, err, said)
	}
	assert.Len(t, spec.Problems(), 10)
}

func TestModes(t *testing.T) {
	for text, want := range map[string]uint32{"755": 0o755, "4755": 0o4755, `"0644"`: 0o644, "0644": 0o420, "7": 7, "0": 0} {
		spec, err := Read([]byte("permissions: [{mode: " + text + "}]"))
		require.NoError(t, err)
		bits, err := spec.Permissions[0].Mode.Bits()
		require.NoError(t, err, text)
		assert.Equal(t, want, bits, text)
	}
	for _, text := range []string{"", "888", "10644", "u=rw", "-1", "+7", "0x1f"} {
		_, err := Mode(text).Bits()
		assert.Error(t, err, text)
	}
}

func TestATimeoutThatIsNotNamedIsAnHour(t *testing.T) {
	spec, err := Read([]byte("hooks: {AfterInstall: [{location: a}, {location: b, timeout: 5}]}"))
	require.NoError(t, err)
	assert.Equal(t, 3600, spec.Hooks["AfterInstall"][0].Seconds())
	assert.Equal(t, 5, spec.Hooks["AfterInstall"][1].Seconds())
}
