#!/bin/sh
# Says what it was given and what it may do; nothing of the credential.
echo "user $(id -u):$(id -g) groups $(id -G)"
grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr '\t' ' '
echo "plain=$PLAIN"
echo "password=$PASSWORD"
echo "file=$(cat "$FILE")"
echo "kubeconfig at $KRKN_KUBE_CONFIG mode $(stat -L -c %a "$KRKN_KUBE_CONFIG")"
(echo no >>"$KRKN_KUBE_CONFIG") 2>/dev/null && echo "the kubeconfig can be written"
[ -e /var/run/secrets/kubernetes.io ] && echo "there is a token of our own cluster"
touch /tmp/scratch && echo "scratch can be written"
kubectl auth whoami -o jsonpath='{.status.userInfo.username}{"\n"}'
