package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const foreignStack = `# somebody else's keys
secretsprovider: awskms://alias/pulumi
encryptedkey: AQICAHj
encryptionsalt: v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAA
config:
  bluegreen:account: "012345678901"
  bluegreen:fleet: {minSize: 2, instanceTypes: [t3.small]}
  bluegreen:environment:
    MAILGUN_DOMAIN: mg.example.com
    MAILGUN_API_KEY:
      secure: AAABAAAAAAAAAAAA
  bluegreen:token:
    secure: AAABBBBBBBBBBBBB
`

func TestTheWorkspaceNeedsNoForeignKey(t *testing.T) {
	s := inFolder(t)
	require.NoError(t, os.WriteFile(s.file, []byte(foreignStack), 0o600))
	require.NoError(t, s.copyConfiguration(t.Context(), s.file))

	text, err := os.ReadFile(s.copied())
	require.NoError(t, err)
	for _, dropped := range []string{"awskms", "AQICAHj", "AAABAAAAAAAAAAAA", "AAABBBBBBBBBBBBB", "v1:AAAAAAAAAAA="} {
		assert.NotContains(t, string(text), dropped)
	}
	project, err := workspace.LoadProject("Pulumi.yaml")
	require.NoError(t, err)
	stack, err := workspace.LoadProjectStack(nil, project, s.copied())
	require.NoError(t, err)
	assert.Empty(t, stack.SecretsProvider)

	salt, err := s.salt(t.Context())
	require.NoError(t, err)
	assert.Equal(t, salt, stack.EncryptionSalt)
	crypter, err := s.crypter(salt)
	require.NoError(t, err)
	key := func(name string) config.Key { return config.MustMakeKey(ProjectName, name) }
	values, err := stack.Config.Decrypt(crypter)
	require.NoError(t, err)
	assert.Equal(t, "012345678901", values[key("account")], "text stays text")
	assert.JSONEq(t, `{"minSize": 2, "instanceTypes": ["t3.small"]}`, values[key("fleet")])
	assert.JSONEq(t, `{"MAILGUN_DOMAIN": "mg.example.com", "MAILGUN_API_KEY": "[secret]"}`, values[key("environment")])
	assert.Equal(t, "[secret]", values[key("token")])
	assert.True(t, stack.Config[key("token")].Secure(), "still secret")
	assert.True(t, stack.Config[key("environment")].Secure(), "still secret inside")

	unchanged, err := os.ReadFile(s.file)
	require.NoError(t, err)
	assert.Equal(t, foreignStack, string(unchanged))
}

func TestTheSaltIsWhatPulumiExpects(t *testing.T) {
	s := inFolder(t)
	salt, err := s.salt(t.Context())
	require.NoError(t, err)
	fields := strings.SplitN(salt, ":", 3)
	require.Len(t, fields, 3)
	assert.Equal(t, "v1", fields[0])
	crypter, err := s.crypter(salt)
	require.NoError(t, err)
	word, err := crypter.DecryptValue(t.Context(), fields[2])
	require.NoError(t, err)
	assert.Equal(t, "pulumi", word)
	again, err := s.salt(t.Context())
	require.NoError(t, err)
	assert.Equal(t, salt, again)
}

func TestSecretsAreForTheirOwnerOnly(t *testing.T) {
	s := inFolder(t)
	require.NoError(t, os.WriteFile(s.file, []byte(foreignStack), 0o600))
	require.NoError(t, s.copyConfiguration(t.Context(), s.file))
	require.NoError(t, filepath.WalkDir(s.Folder, func(name string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077, name)
		return nil
	}))
	one, err := s.passphrase()
	require.NoError(t, err)
	other, err := inFolder(t).passphrase()
	require.NoError(t, err)
	assert.NotEqual(t, one, other)
	assert.GreaterOrEqual(t, len(one), 26, "128 bits in base 32")
}

func TestAMissingStackFileIsNamed(t *testing.T) {
	s := inFolder(t)
	err := s.copyConfiguration(t.Context(), s.file)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "Pulumi.sandbox.yaml: ")
}
