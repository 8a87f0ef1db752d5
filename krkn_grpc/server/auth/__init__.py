"""Authentication, authorization and limits of each call, layered as in the Kubernetes API server.

`policy` has a rule for each method: the permission that it needs, or that it is public.
`authentication` identifies the caller (TokenReview), `authorization` holds the caller's permissions
during the call (SubjectAccessReview). `reviews` sends both, `ttl_cache` caches the answers for
seconds. `concurrency` limits calls, memory and rates per caller, and `audit` records changes.

The interceptor `interceptors.auth` applies this to every method.
"""
