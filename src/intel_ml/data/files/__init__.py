"""src/intel_ml/data/files"""
