package codedeploy

// operations are the operations that are emulated, by name. A function and not a
// variable, since the methods would refer back to it.
func operations() map[string]operation {
	return map[string]operation{
		"CreateApplication":    answer((*Service).createApplication),
		"GetApplication":       answer((*Service).getApplication),
		"BatchGetApplications": answer((*Service).batchGetApplications),
		"ListApplications":     answer((*Service).listApplications),
		"UpdateApplication":    answer((*Service).updateApplication),
		"DeleteApplication":    answer((*Service).deleteApplication),

		"CreateDeploymentConfig": answer((*Service).createDeploymentConfig),
		"GetDeploymentConfig":    answer((*Service).getDeploymentConfig),
		"ListDeploymentConfigs":  answer((*Service).listDeploymentConfigs),
		"DeleteDeploymentConfig": answer((*Service).deleteDeploymentConfig),

		"CreateDeploymentGroup":    answer((*Service).createDeploymentGroup),
		"GetDeploymentGroup":       answer((*Service).getDeploymentGroup),
		"BatchGetDeploymentGroups": answer((*Service).batchGetDeploymentGroups),
		"ListDeploymentGroups":     answer((*Service).listDeploymentGroups),
		"UpdateDeploymentGroup":    answer((*Service).updateDeploymentGroup),
		"DeleteDeploymentGroup":    answer((*Service).deleteDeploymentGroup),

		"TagResource":         answer((*Service).tagResource),
		"UntagResource":       answer((*Service).untagResource),
		"ListTagsForResource": answer((*Service).listTagsForResource),

		"RegisterApplicationRevision":  answer((*Service).registerApplicationRevision),
		"GetApplicationRevision":       answer((*Service).getApplicationRevision),
		"BatchGetApplicationRevisions": answer((*Service).batchGetApplicationRevisions),
		"ListApplicationRevisions":     answer((*Service).listApplicationRevisions),

		"CreateDeployment":                   answer((*Service).createDeployment),
		"GetDeployment":                      answer((*Service).getDeployment),
		"BatchGetDeployments":                answer((*Service).batchGetDeployments),
		"ListDeployments":                    answer((*Service).listDeployments),
		"StopDeployment":                     answer((*Service).stopDeployment),
		"ContinueDeployment":                 answer((*Service).continueDeployment),
		"SkipWaitTimeForInstanceTermination": answer((*Service).skipWaitTimeForInstanceTermination),

		"GetDeploymentTarget":         answer((*Service).getDeploymentTarget),
		"BatchGetDeploymentTargets":   answer((*Service).batchGetDeploymentTargets),
		"ListDeploymentTargets":       answer((*Service).listDeploymentTargets),
		"GetDeploymentInstance":       answer((*Service).getDeploymentInstance),
		"BatchGetDeploymentInstances": answer((*Service).batchGetDeploymentInstances),
		"ListDeploymentInstances":     answer((*Service).listDeploymentInstances),
	}
}
