"""Who is calling, and whether they may: asked of Kubernetes before anything is looked up.

`rules` has one rule for each method. `interceptor` stands before every call and lets it begin its
`passage`: `gate` says who is calling (`bearer`, `reviews`), `places` has room for the call, and
`permission` is what the call then knows of its caller. `audit` writes down what was done, by the
`facts` of request and reply.
"""
