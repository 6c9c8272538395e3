enum ExtendedCopyModule {}
