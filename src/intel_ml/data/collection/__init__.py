"""src/intel_ml/data/collection"""
