enum CopyModelModule {}
