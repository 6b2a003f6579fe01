"""src/intel_ml/operations"""
