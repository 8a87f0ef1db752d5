#!/bin/sh
echo "health check failed"
exit 3
