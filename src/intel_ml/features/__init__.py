"""src/intel_ml/features"""
