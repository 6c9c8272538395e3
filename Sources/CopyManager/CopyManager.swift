enum CopyManagerModule {}
