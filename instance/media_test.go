package instance

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"bluegreen/sandbox/emulator"
	"bluegreen/sandbox/parts/partstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two visitors upload files of the same name; the second does not replace the
// first, and whoever is sent to a file may read it although the bucket is private.
func TestUploadsGoToTheBucket(t *testing.T) {
	t.Parallel()
	tools, err := partstest.Find()
	require.NoError(t, err)
	s3, err := emulator.Start(t.Context(), emulator.Config{
		Python: tools.Python, Address: "127.0.0.1:0", Account: "123456789012", Region: "us-east-2", Dir: t.TempDir(),
		Seed: emulator.Seed{Images: emulator.UbuntuImages()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s3.Close()) })
	environment := []string{
		"DJANGO_SETTINGS_MODULE=config.settings.production", "AWS_DEFAULT_REGION=us-east-2", "AWS_ENDPOINT_URL_S3=" + s3.Endpoint(),
		"AWS_ACCESS_KEY_ID=testing", "AWS_SECRET_ACCESS_KEY=testing",
	}
	for name, value := range production("sqlite://:memory:", "") {
		environment = append(environment, strings.TrimPrefix(name, "/example/prod/")+"="+value)
	}
	output, err := manage(t, environment, "shell", "--no-imports", "--command", `
import boto3, json
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
bucket = boto3.resource("s3").create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
names = [default_storage.save("photo.jpg", ContentFile(text)) for text in (b"one", b"two")]
storages["published"].save("site.css", ContentFile(b"body {}"))
storages["published"].save("site.css", ContentFile(b"body {}"))
print(json.dumps({
    "keys": sorted(item.key for item in bucket.objects.all()),
    "read": [default_storage.open(name).read().decode() for name in names],
    "addresses": [default_storage.url(name) for name in names],
    "cached": bucket.Object("static/site.css").cache_control,
}))`).Output()
	require.NoError(t, err)
	var said struct {
		Keys, Read, Addresses []string
		Cached                string
	}
	require.NoError(t, json.Unmarshal(output, &said), string(output))
	require.Len(t, said.Keys, 3)
	assert.Equal(t, "media/photo.jpg", said.Keys[0])
	assert.Regexp(t, `^media/photo_\w+\.jpg$`, said.Keys[1])
	assert.Equal(t, "static/site.css", said.Keys[2], "static files have a hash in their names: the same name is the same file")
	assert.Equal(t, []string{"one", "two"}, said.Read)
	assert.Equal(t, "public, max-age=31536000, immutable", said.Cached)
	for i, address := range said.Addresses {
		assert.Contains(t, address, "Signature=")
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, said.Read[i], string(text))
	}
}
