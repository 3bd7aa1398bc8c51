setup:
	@scripts/setup.sh
