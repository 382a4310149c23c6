package preview

import "slices"

// unknown is what the engine writes for a value that exists only after an
// update (pkg/resource/stack, computedValuePlaceholder).
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// concealed is what the engine writes for a secret value in a digest.
const concealed = "[secret]"

// A secret in an exported state is an object with this key and value
// (sdk/go/common/resource, SigKey and SecretSig).
const (
	signatureKey    = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
)

// Known tells whether a value is what it seems: nothing in it is made only by
// the update, and nothing in it is secret.
func Known(value any) bool { return !contains(value, isUnknown) && !Secret(value) }

// Secret tells whether a value is secret, or holds a secret at any depth, in a
// digest or in an exported state.
func Secret(value any) bool { return contains(value, isSecret) }

func isUnknown(value any) bool { return value == unknown }

func isSecret(value any) bool {
	if object, ok := value.(map[string]any); ok {
		return object[signatureKey] == secretSignature
	}
	return value == concealed
}

// contains tells whether a value or one inside it is as asked.
func contains(value any, is func(any) bool) bool {
	inner := func(value any) bool { return contains(value, is) }
	switch v := value.(type) {
	case map[string]any:
		if is(v) {
			return true
		}
		for _, value := range v {
			if inner(value) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, inner)
	default:
		return is(v)
	}
}
