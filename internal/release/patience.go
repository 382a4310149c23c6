package release

// What the release command waits for unless told otherwise.
const (
	// DefaultWaitForRunning is how long a deployment that runs already is waited
	// for.
	DefaultWaitForRunning = defaultWaitForRunning
	// DefaultTimeout is how long a deployment and its rollback are followed,
	// beside CodeDeploy's own wait before it ends the old instances.
	DefaultTimeout = defaultTimeout
)
