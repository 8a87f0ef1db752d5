"""What an administrator decides about every scenario pod: settings, template, rules."""
