"""Who is calling, and whether they may: asked of Kubernetes before anything is looked up.

`rules` has one rule for each method, `reviews` asks the API server, `gate` stands before every
call, `permission` is what a call then knows of its caller.
"""
