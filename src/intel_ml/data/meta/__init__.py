"""src/intel_ml/data/meta"""
