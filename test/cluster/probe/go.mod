module widemerge.test/probe

go 1.22
